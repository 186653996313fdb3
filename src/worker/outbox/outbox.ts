/** The outbox on disk: results that no master has settled, and the highest epoch seen, kept over the death of the process. */
import { constants, type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { attemptKey, type Incarnation } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptRef, ResultItem } from "../../model/protocol.ts";
import type { Outbox, OutboxContent } from "../../ports/work.ts";
import { claimDirectory } from "../directoryClaim.ts";
import { DamagedAt, decodeRecords, encodePut, encodeRemove, outboxMagic } from "./outboxFile.ts";

/** The outbox must not be used as it is. */
export class OutboxRefused extends Error {
  /** What the operator can do about it. */
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "OutboxRefused";
    this.hint = hint;
  }
}

interface KeptResult {
  readonly result: ResultItem;
  readonly bytes: number;
}

/** What waits to be written: all of it goes in one write, and all of it is in effect or none. */
class Group {
  readonly buffers: Buffer[] = [];
  readonly changes: (() => void)[] = [];
  readonly done = Promise.withResolvers<void>();
}

/** A rewrite puts this many results into one record. */
const resultsPerRecord = 1000;

/**
 * A directory with the files `results` (records, appended) and `epoch`. One process at a time may have it open.
 *
 * `put` returns when the operating system has the bytes: they outlive this process, however it dies, but not a power loss.
 * docs/decisions/0010-outbox-without-fsync.md says why that is enough.
 */
export class FileOutbox implements Outbox {
  readonly #directory: string;
  readonly #path: string;
  readonly #kept = new Map<string, KeptResult>();
  #keptBytes = 0;
  #file: FileHandle | null = null;
  /** Where the next record goes. */
  #length = 0;
  /** A write failed in the middle: what stands behind `#length` has to go before the next one. */
  #isTailDirty = false;
  #next = new Group();
  #writing: Promise<void> | null = null;
  /** Not to be rewritten before it is this long. */
  #compactAtBytes: number = limits.outboxCompactBytesMin;
  #release: () => Promise<void> = async () => {};

  /** @param path the directory; made if it is not there */
  constructor(path: string) {
    this.#directory = path;
    this.#path = join(path, "results");
  }

  /** @throws OutboxRefused if another process has it open, or if it is damaged anywhere but at its torn end */
  async open(): Promise<OutboxContent> {
    await mkdir(this.#directory, { recursive: true });
    this.#release = await claimDirectory(this.#directory);
    try {
      const { incarnation, epochMax } = await readEpoch(join(this.#directory, "epoch"));
      await this.#load();
      return { results: Array.from(this.#kept.values(), ({ result }) => result), epochMax, incarnation };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  put(results: readonly ResultItem[]): Promise<void> {
    const texts = results.map((result) => JSON.stringify(result));
    return this.#enqueue(encodePut(texts), () => {
      for (const [index, result] of results.entries()) this.#keep(result, texts[index]?.length ?? 0);
    });
  }

  remove(attempts: readonly AttemptRef[]): Promise<void> {
    return this.#enqueue(encodeRemove(attempts), () => {
      for (const { task, attempt } of attempts) this.#drop(attemptKey(task, attempt));
    });
  }

  /** Rare, and it must not be unknown after a power loss: it is synced. */
  async saveEpoch(incarnation: Incarnation, epoch: number): Promise<void> {
    const path = join(this.#directory, "epoch");
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ incarnation, epoch })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncDirectory(this.#directory);
  }

  async close(): Promise<void> {
    await this.#writing;
    const file = this.#file;
    this.#file = null;
    await file?.close();
    await this.#release();
  }

  async #load(): Promise<void> {
    this.#file = await open(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const content = await this.#file.readFile();
    const { records, goodBytes } = this.#decode(content);
    for (const record of records) {
      if (record.kind === "put") for (const result of record.results) this.#keep(result, JSON.stringify(result).length);
      else for (const { task, attempt } of record.attempts) this.#drop(attemptKey(task, attempt));
    }
    this.#length = goodBytes;
    this.#isTailDirty = content.length > goodBytes;
    if (goodBytes === 0) await this.#append(outboxMagic);
  }

  #decode(content: Buffer): ReturnType<typeof decodeRecords> {
    try {
      return decodeRecords(content);
    } catch (error) {
      if (!(error instanceof DamagedAt)) throw error;
      throw new OutboxRefused(
        `The outbox ${this.#path} is damaged: ${error.message}.`,
        `Look at the disk first. Then move the file away (mv '${this.#path}' '${this.#path}.damaged') and start again: ` +
          "no task is lost, but attempts whose results were in it run again.",
        { cause: error },
      );
    }
  }

  #keep(result: ResultItem, bytes: number): void {
    const key = attemptKey(result.task, result.attempt);
    this.#drop(key);
    this.#kept.set(key, { result, bytes });
    this.#keptBytes += bytes;
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (kept === undefined) return;
    this.#kept.delete(key);
    this.#keptBytes -= kept.bytes;
  }

  #enqueue(record: Buffer, change: () => void): Promise<void> {
    const group = this.#next;
    group.buffers.push(record);
    group.changes.push(change);
    this.#writing ??= this.#writeAll();
    return group.done.promise;
  }

  async #writeAll(): Promise<void> {
    while (this.#next.buffers.length > 0) {
      const group = this.#next;
      this.#next = new Group();
      try {
        await this.#append(
          group.buffers.length === 1 ? (group.buffers[0] ?? outboxMagic) : Buffer.concat(group.buffers),
        );
        for (const change of group.changes) change();
        group.done.resolve();
      } catch (error) {
        group.done.reject(error);
      }
      if (this.#length >= this.#compactAtBytes) await this.#compact();
    }
    // In the same turn as the look at `#next`: what comes later begins a new round.
    this.#writing = null;
  }

  async #append(bytes: Buffer): Promise<void> {
    const file = this.#file;
    if (file === null) throw new Error("the outbox is not open");
    if (this.#isTailDirty) await file.truncate(this.#length);
    this.#isTailDirty = true;
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await file.write(bytes, written, bytes.length - written, this.#length + written);
      written += bytesWritten;
    }
    this.#length += bytes.length;
    this.#isTailDirty = false;
  }

  /** Writes what is kept into a new file and puts that in the old one's place. Should it fail, the old one still holds everything. */
  async #compact(): Promise<void> {
    if (this.#keptBytes * 4 <= this.#length) {
      const path = `${this.#path}.new`;
      const content = Buffer.concat([outboxMagic, ...this.#records()]);
      try {
        const file = await replaceFile(path, this.#path, content);
        const old = this.#file;
        this.#file = file;
        this.#length = content.length;
        this.#isTailDirty = false;
        await old?.close();
      } catch {
        await rm(path, { force: true }).catch(() => {});
      }
    }
    // Whether it was done, failed or not worth it: not again before there is as much again to gain.
    this.#compactAtBytes = Math.max(limits.outboxCompactBytesMin, 2 * this.#length);
  }

  *#records(): Iterable<Buffer> {
    let texts: string[] = [];
    for (const { result } of this.#kept.values()) {
      texts.push(JSON.stringify(result));
      if (texts.length < resultsPerRecord) continue;
      yield encodePut(texts);
      texts = [];
    }
    if (texts.length > 0) yield encodePut(texts);
  }
}

/** @returns the new file, open for writing */
async function replaceFile(from: string, to: string, content: Buffer): Promise<FileHandle> {
  const file = await open(from, "w+", 0o600);
  try {
    await file.writeFile(content);
    await rename(from, to);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readEpoch(path: string): Promise<Pick<OutboxContent, "epochMax" | "incarnation">> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { epochMax: 0, incarnation: null };
    throw error;
  }
  try {
    const { incarnation, epoch } = JSON.parse(text) as { incarnation?: unknown; epoch?: unknown };
    if (typeof incarnation === "string" && typeof epoch === "number" && Number.isSafeInteger(epoch)) {
      return { epochMax: epoch, incarnation: incarnation as Incarnation };
    }
  } catch {
    // Told below, as for any other content that is not ours.
  }
  throw new OutboxRefused(
    `The file ${path} is damaged: it does not say which epoch was seen last.`,
    `Look at the disk first. Then remove the file (rm '${path}') and start again.`,
  );
}

/** Makes a rename in it survive a power loss. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
