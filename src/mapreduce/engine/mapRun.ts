/** Runs the user's map over the records of some ranges of bytes. */
import { limits } from "../../model/limits.ts";
import { legible, messageOf } from "../../model/thrown.ts";
import type { ByteRange } from "./byteRanges.ts";
import { Counters } from "./counters.ts";
import type { Cursor } from "./cursor.ts";
import { WriteFailed } from "./shuffleWriter.ts";
import { type ByteSource, lineAt, wholeLines } from "./wholeLines.ts";

/** What a map may do besides emitting. */
export interface MapContext {
  /** The input file of the record, and where the record begins in it. */
  readonly path: string;
  readonly offset: number;
  /** What was given to the job as `params`. */
  readonly params: unknown;
  /** Leaves this record out, with all that it has emitted. The job fails if that happens more often than `maxSkipped`. */
  skip(reason: string): void;
  /** Adds to a counter of the job. Counted once, however often the map runs. */
  count(name: string, by?: number): void;
}

export type EmitText = (key: string, value?: unknown) => void;
export type EmitBytes = (bytes: Uint8Array, start: number, end: number, value?: unknown) => void;

export type UserMap =
  | { readonly format: "lines"; readonly map: (line: string, emit: EmitText, ctx: MapContext) => unknown }
  | { readonly format: "chunks"; readonly map: (bytes: Buffer, emit: EmitBytes, ctx: MapContext) => unknown };

/** Where emitted pairs go. */
export interface Emitter {
  emitText(key: string, value: unknown): void;
  emitBytes(bytes: Uint8Array, start: number, end: number, value: unknown): void;
  /** The same in two steps: what is wrong with key or value is told now, and what is called later adds them as they are now. */
  stageText(key: string, value: unknown): () => void;
  stageBytes(bytes: Uint8Array, start: number, end: number, value: unknown): () => void;
}

export interface MapOptions {
  readonly user: UserMap;
  readonly ranges: readonly ByteRange[];
  /** By the index of a file. */
  readonly paths: readonly string[];
  readonly open: (file: number) => Promise<ByteSource>;
  readonly emitter: Emitter;
  readonly cursor: Cursor;
  readonly params: unknown;
  /** So many records may be skipped; more fail the map. */
  readonly skippedMax: number;
  /** Records to leave out, because the map did not survive them: `file:offset`. */
  readonly poison: ReadonlySet<string>;
  /** Called with each record that is skipped. */
  readonly onSkipped: (record: SkippedRecord) => void;
}

export interface SkippedRecord {
  readonly path: string;
  readonly offset: number;
  /** Of the record; of a line that is too long, of what was read of it. */
  readonly bytes: number;
  readonly reason: string;
  /** The beginning of the record. */
  readonly text: string;
}

export interface MapFigures {
  readonly bytes: number;
  readonly records: number;
  readonly skipped: number;
  /** The first few. */
  readonly skippedRecords: readonly SkippedRecord[];
  readonly counters: { readonly [name: string]: number };
}

/** The user's map failed on a record. */
export class RecordFailed extends Error {
  readonly record: SkippedRecord;

  constructor(record: SkippedRecord, cause: unknown) {
    const { path, offset, reason, text } = record;
    super(`${path}, byte ${offset}: ${withoutStop(reason)}. The record begins with ${JSON.stringify(text)}.`, {
      cause,
    });
    this.record = record;
  }
}

/** A reason may be a sentence, and stands within one. */
export function withoutStop(reason: string): string {
  return reason.replace(/\.$/, "");
}

export function poisonKey(file: number, offset: number): string {
  return `${file}:${offset}`;
}

/** @throws RecordFailed */
export async function runMap(options: MapOptions): Promise<MapFigures> {
  const run = new MapRun(options);
  for (const range of options.ranges) await run.range(range);
  return run.figures();
}

class MapRun implements MapContext {
  path = "";
  offset = 0;
  readonly params: unknown;
  readonly #options: MapOptions;
  readonly #counters = new Counters();
  readonly #skippedRecords: SkippedRecord[] = [];
  /** What the record has emitted; used only where records may be skipped. */
  readonly #staged: (() => void)[] = [];
  #skipReason: string | null = null;
  readonly #canSkip: boolean;

  constructor(options: MapOptions) {
    this.#options = options;
    this.params = options.params;
    this.#canSkip = options.skippedMax > 0;
  }

  skip(reason: string): void {
    this.#skipReason ??= String(reason);
  }

  count(name: string, by = 1): void {
    if (this.#canSkip) this.#counters.stage(name, by);
    else this.#counters.add(name, by);
  }

  figures(): MapFigures {
    const { bytes, records, skipped } = this.#options.cursor;
    return { bytes, records, skipped, skippedRecords: this.#skippedRecords, counters: this.#counters.toJson() };
  }

  async range({ file, start, end }: ByteRange): Promise<void> {
    const { open, paths, cursor, user } = this.#options;
    this.path = paths[file] ?? "";
    const source = await open(file);
    const bounds = { chunkBytes: limits.jobChunkBytes, lineBytesMax: limits.jobLineBytesMax };
    for await (const { bytes, offset, isCut } of wholeLines(source, start, end, bounds)) {
      if (isCut) this.#leaveOut(file, offset, bytes, `a line is longer than ${limits.jobLineBytesMax} bytes`);
      else if (user.format === "lines") await this.#lines(user.map, file, offset, bytes);
      else await this.#record(file, offset, bytes, (emit) => user.map(bytes, emit.bytes, this));
      cursor.addBytes(bytes.length);
    }
  }

  async #lines(
    map: (line: string, emit: EmitText, ctx: MapContext) => unknown,
    file: number,
    offset: number,
    bytes: Buffer,
  ): Promise<void> {
    const { cursor, emitter, poison } = this.#options;
    const isPlain = !this.#canSkip && poison.size === 0;
    const emit: EmitText = (key, value = 1) => emitter.emitText(key, value);
    for (let at = 0; at < bytes.length; ) {
      const { end, next } = lineAt(bytes, at);
      const line = bytes.toString("utf8", at, end);
      if (isPlain) {
        // The common case, without anything that is not needed: this runs millions of times.
        this.offset = offset + at;
        cursor.beginRecord(file, offset + at);
        try {
          const pending = map(line, emit, this);
          if (isPromise(pending)) await pending;
        } catch (error) {
          if (error instanceof WriteFailed) throw error;
          throw this.#failure(offset + at, bytes.subarray(at, end), describe(error), error);
        }
        cursor.leave();
        if (this.#skipReason !== null) this.#leaveOut(file, offset + at, bytes.subarray(at, end), this.#skipReason);
      } else {
        await this.#record(file, offset + at, bytes.subarray(at, end), (emits) => map(line, emits.text, this));
      }
      at = next;
    }
  }

  /** Runs one record such that it counts wholly or not at all. */
  async #record(
    file: number,
    offset: number,
    bytes: Buffer,
    run: (emit: { text: EmitText; bytes: EmitBytes }) => unknown,
  ): Promise<void> {
    const { cursor, emitter, poison } = this.#options;
    this.offset = offset;
    cursor.beginRecord(file, offset);
    if (poison.has(poisonKey(file, offset))) {
      cursor.leave();
      return this.#leaveOut(file, offset, bytes, "two attempts did not survive this record");
    }
    const direct = {
      text: (key: string, value: unknown = 1) => emitter.emitText(key, value),
      bytes: (source: Uint8Array, start: number, end: number, value: unknown = 1) =>
        emitter.emitBytes(source, start, end, value),
    };
    const staged = {
      text: (key: string, value: unknown = 1) => void this.#staged.push(emitter.stageText(key, value)),
      bytes: (source: Uint8Array, start: number, end: number, value: unknown = 1) =>
        void this.#staged.push(emitter.stageBytes(source, start, end, value)),
    };
    try {
      const pending = run(this.#canSkip ? staged : direct);
      if (isPromise(pending)) await pending;
    } catch (error) {
      cursor.leave();
      if (error instanceof WriteFailed) throw error;
      this.#leaveOut(file, offset, bytes, describe(error), error);
      return;
    }
    if (this.#skipReason === null) this.#addStaged(offset, bytes);
    cursor.leave();
    if (this.#skipReason !== null) return this.#leaveOut(file, offset, bytes, this.#skipReason);
    this.#counters.keep();
    this.#clearStaged();
  }

  /** Some of it may have been added when the user's combine or partition fails, so that the record can no longer be left out. */
  #addStaged(offset: number, bytes: Buffer): void {
    try {
      for (const add of this.#staged) add();
    } catch (error) {
      throw error instanceof WriteFailed ? error : this.#failure(offset, bytes, describe(error), error);
    }
  }

  #leaveOut(_file: number, offset: number, bytes: Buffer, reason: string, cause?: unknown): void {
    const { cursor, skippedMax, onSkipped } = this.#options;
    this.#clearStaged();
    cursor.addSkipped();
    if (cursor.skipped > skippedMax) throw this.#failure(offset, bytes, reason, cause);
    onSkipped(this.#describe(offset, bytes, reason, limits.jobSkippedRecordBytesMax));
    if (this.#skippedRecords.length < limits.jobSkippedShownMax) {
      this.#skippedRecords.push(this.#describe(offset, bytes, reason));
    }
  }

  #clearStaged(): void {
    this.#staged.length = 0;
    this.#counters.discard();
    this.#skipReason = null;
  }

  #failure(offset: number, bytes: Buffer, reason: string, cause?: unknown): RecordFailed {
    return new RecordFailed(this.#describe(offset, bytes, reason), cause);
  }

  #describe(
    offset: number,
    bytes: Buffer,
    reason: string,
    bytesMax: number = limits.jobRecordShownBytesMax,
  ): SkippedRecord {
    const text = bytes.toString("utf8", 0, Math.min(bytes.length, bytesMax));
    const shortReason = reason.slice(0, limits.jobSkipReasonLengthMax);
    return { path: this.path, offset, bytes: bytes.length, reason: shortReason, text };
  }
}

function describe(error: unknown): string {
  return legible(() =>
    error instanceof Error ? `${error.name}: ${error.message}` : `the map threw ${messageOf(error)}`,
  );
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}
