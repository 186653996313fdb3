/** What a map emits, on its way to the reduces: combined in a table, and written as a run of segments whenever the table is full. */
import { limits } from "../../model/limits.ts";
import { legible } from "../../model/thrown.ts";
import { partitionOf } from "./keyHash.ts";
import type { KeyTable } from "./keyTable.ts";
import { encodeIndex } from "./mapFile.ts";
import { type Codec, type Extent, SegmentWriter, type Sink } from "./segment.ts";
import { clearTable, isTooLarge } from "./tableSize.ts";
import type { ValueColumn } from "./valueColumn.ts";

/** The partition of the key that stands there. */
export type Partition = (bytes: Buffer, start: number, end: number) => number;

export interface ShuffleOptions {
  /** May hold keys of an earlier task, which are forgotten. */
  readonly table: KeyTable;
  readonly partitions: number;
  /** Null: by the hash of the key's bytes. */
  readonly partition: Partition | null;
  readonly column: ValueColumn;
  /** A run is written once the table takes up this much. */
  readonly memoryBytes: number;
  readonly codec: Codec;
  /** Takes the file, from its first byte on. */
  readonly sink: Sink;
  /** Runs what is not the work of the user's map, although that has called for it. */
  readonly aside: (work: () => void) => void;
}

export interface ShuffleFigures {
  readonly bytes: number;
  readonly records: number;
  readonly runs: number;
  /** The most that the table took up. */
  readonly peakBytes: number;
}

/** A key is longer than `limits.jobKeyBytesMax`, or the user's partitioner leads nowhere. */
export class UnfitKey extends Error {}

/** What was emitted could not be written: no record is to blame for that. */
export class WriteFailed extends Error {}

export class ShuffleWriter {
  readonly #options: ShuffleOptions;
  readonly #table: KeyTable;
  readonly #column: ValueColumn;
  readonly #writer: SegmentWriter;
  readonly #runs: (readonly Extent[])[] = [];
  #length = 0;
  #records = 0;
  #peakBytes = 0;
  /** Why a run was not written whole. Whoever emits may have caught that, but nothing can be added any more. */
  #failure: { readonly error: unknown } | null = null;

  constructor(options: ShuffleOptions) {
    this.#options = options;
    this.#table = options.table;
    clearTable(this.#table, options.memoryBytes);
    this.#column = options.column;
    this.#writer = new SegmentWriter((bytes) => this.#put(bytes), options.codec);
  }

  emitText(key: string, value: unknown): void {
    checkText(key);
    this.#addText(key, this.#column.fit(value));
  }

  emitBytes(source: Uint8Array, start: number, end: number, value: unknown): void {
    checkBytes(source, start, end);
    this.#addBytes(source, start, end, this.#column.fit(value));
  }

  stageText(key: string, value: unknown): () => void {
    checkText(key);
    const fit = this.#column.fit(value);
    return () => this.#addText(key, fit);
  }

  stageBytes(source: Uint8Array, start: number, end: number, value: unknown): () => void {
    checkBytes(source, start, end);
    const key = Buffer.from(source.subarray(start, end));
    const fit = this.#column.fit(value);
    return () => this.#addBytes(key, 0, key.length, fit);
  }

  /** Writes what is left, and the index. */
  end(): ShuffleFigures {
    this.#checkWhole();
    if (this.#table.count > 0 || this.#runs.length === 0) this.#writeRun();
    this.#put(encodeIndex(this.#runs, this.#options.partitions));
    return { bytes: this.#length, records: this.#records, runs: this.#runs.length, peakBytes: this.#peakBytes };
  }

  #addText(key: string, fit: unknown): void {
    this.#checkWhole();
    const known = this.#table.count;
    this.#add(this.#table.addText(key), known, fit);
  }

  #addBytes(source: Uint8Array, start: number, end: number, fit: unknown): void {
    this.#checkWhole();
    const known = this.#table.count;
    this.#add(this.#table.addBytes(source, start, end), known, fit);
  }

  #add(number: number, known: number, fit: unknown): void {
    this.#column.add(number, number === known ? "new" : "known", fit);
    if (number === known || this.#column.growsWithValues) this.#spillIfFull();
  }

  #checkWhole(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  #spillIfFull(): void {
    if (!isTooLarge(this.#table, this.#column, this.#options.memoryBytes)) return;
    try {
      this.#options.aside(() => this.#writeRun());
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #writeRun(): void {
    const table = this.#table;
    this.#peakBytes = Math.max(this.#peakBytes, table.bytes + this.#column.bytes);
    const { partitions } = this.#options;
    const { numbers, starts } = this.#byPartition();
    const extents: Extent[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      const from = starts[partition] ?? 0;
      const until = starts[partition + 1] ?? 0;
      const offset = this.#length;
      if (from === until) {
        extents.push({ offset, length: 0, records: 0 });
        continue;
      }
      this.#writer.begin();
      for (const number of numbers.subarray(from, until)) {
        this.#writer.key(table.arena, table.keyStart(number), table.keyLength(number), this.#column, number);
      }
      const { length, records } = this.#writer.end();
      this.#records += records;
      extents.push({ offset, length, records });
    }
    this.#runs.push(extents);
    clearTable(table, this.#options.memoryBytes);
    this.#column.clear();
  }

  /** The numbers of all keys, those of one partition after those of the one before: a counting sort. */
  #byPartition(): { readonly numbers: Int32Array; readonly starts: Int32Array } {
    const { count } = this.#table;
    const { partitions } = this.#options;
    const partitionAt = new Int32Array(count);
    for (let number = 0; number < count; number += 1) partitionAt[number] = this.#partitionOf(number);
    const starts = new Int32Array(partitions + 1);
    for (const partition of partitionAt) starts[partition + 1] = (starts[partition + 1] ?? 0) + 1;
    for (let partition = 0; partition < partitions; partition += 1) {
      starts[partition + 1] = (starts[partition + 1] ?? 0) + (starts[partition] ?? 0);
    }
    const next = starts.slice();
    const numbers = new Int32Array(count);
    for (let number = 0; number < count; number += 1) {
      const partition = partitionAt[number] ?? 0;
      const at = next[partition] ?? 0;
      numbers[at] = number;
      next[partition] = at + 1;
    }
    return { numbers, starts };
  }

  #partitionOf(number: number): number {
    const { partitions, partition } = this.#options;
    if (partition === null) return partitionOf(this.#table.hashOf(number), partitions);
    const start = this.#table.keyStart(number);
    const chosen = partition(this.#table.arena, start, start + this.#table.keyLength(number));
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitions) return chosen;
    throw new UnfitKey(
      `partition(${JSON.stringify(this.#table.keyText(number).slice(0, 100))}) gave ${String(chosen)}; it must give a whole number from 0 to ${partitions - 1}.`,
    );
  }

  #put(bytes: Uint8Array): void {
    try {
      this.#options.sink(bytes);
    } catch (error) {
      throw new WriteFailed(error instanceof Error ? error.message : String(error), { cause: error });
    }
    this.#length += bytes.length;
  }
}

function checkText(key: unknown): void {
  if (typeof key !== "string") throw noText(key);
  if (key.length > limits.jobKeyBytesMax) throw tooLong(key.length);
}

/** Of its own: a function that holds another one makes room for it with each call. */
function noText(key: unknown): UnfitKey {
  return new UnfitKey(`A key must be a text, and ${legible(() => key)} is a ${typeof key}.`);
}

function checkBytes(source: Uint8Array, start: number, end: number): void {
  const isWithin =
    Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= source.length;
  if (!isWithin) throw new UnfitKey(`A key cannot be from byte ${start} to ${end} of ${source.length}.`);
  if (end - start > limits.jobKeyBytesMax) throw tooLong(end - start);
}

function tooLong(length: number): UnfitKey {
  return new UnfitKey(`A key has ${length} bytes; ${limits.jobKeyBytesMax} are allowed.`);
}
