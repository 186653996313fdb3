/** The files of a job in a folder that every worker reaches: `_temporary/<job>` in the output folder. */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, readSync, statSync, unlinkSync, writeSync } from "node:fs";
import { readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolders } from "../../files/makeFolders.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { FileRef, JobFileReader, JobFileWriter, JobStore, Promotion } from "../coordinator/store.ts";
import { DamagedSegment, type ReadAt } from "../engine/segment.ts";
import { beginPromotion } from "./folderPromotion.ts";

/** Where output goes, and in it what a job keeps while it runs. */
export const temporaryFolder = "_temporary";

/** What slots need of them besides what every part of a job needs. */
export interface SlotFiles extends JobStore {
  /** Names in the output, without what jobs keep there while they run; at most `max` of them. */
  outputNames(max: number): Promise<readonly string[]>;
  /** Hands a file of the job, checked, to `work` as a file of this machine. @throws DamagedSegment */
  withLocal<Result>(file: FileRef, work: (path: string) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export class JobFiles implements SlotFiles {
  readonly folder: string;
  readonly #outputFolder: string;

  constructor(outputFolder: string, jobId: string) {
    this.#outputFolder = outputFolder;
    this.folder = join(outputFolder, temporaryFolder, jobId);
  }

  async open(): Promise<void> {
    for (const name of ["map", "reduce", "job"]) await makeFolders(join(this.folder, name));
  }

  create(prefix: string, suffix = ""): JobFileWriter {
    const name = `${prefix}-${randomUUID().slice(0, 8)}${suffix}`;
    try {
      return new NewFile(this.pathOf(name), name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new NonRetryableError(
        `The folder ${this.folder} is not there. Is it the same on every worker, or has the job ended?`,
      );
    }
  }

  async text({ name, size, sha256 }: FileRef): Promise<string> {
    const bytes = await readFile(this.pathOf(name)).catch((error: unknown) => {
      throw new DamagedSegment(`${name} cannot be read`, { cause: error });
    });
    if (bytes.length === size && createHash("sha256").update(bytes).digest("hex") === sha256) return bytes.toString();
    throw new DamagedSegment(`${name} is not what was written`);
  }

  async read({ name, size }: Pick<FileRef, "name" | "size">): Promise<JobFileReader> {
    const path = this.pathOf(name);
    // Without waiting for a thread: a reduce opens a file of every map.
    const found = sizeAt(path);
    if (found === null) throw new DamagedSegment(`${name} is gone`);
    if (found !== size) throw new DamagedSegment(`${name} has ${found} bytes instead of ${size}`);
    return new OpenFile(openSync(path, "r"));
  }

  promotion(attempt: number): Promise<Promotion> {
    return beginPromotion(this.folder, this.#outputFolder, attempt);
  }

  async outputNames(max: number): Promise<readonly string[]> {
    const names = await readdir(this.#outputFolder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return names.filter((name) => name !== temporaryFolder).slice(0, max);
  }

  async withLocal<Result>(file: FileRef, work: (path: string) => Promise<Result>): Promise<Result> {
    await this.text(file);
    return work(this.pathOf(file.name));
  }

  async close(): Promise<void> {}

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  async remove(): Promise<void> {
    // At once, so that an attempt that is late finds either all of it or nothing.
    const removed = `${this.folder}.${randomUUID().slice(0, 8)}`;
    await rename(this.folder, removed).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rm(removed, { recursive: true, force: true });
    // Other jobs may have something in it.
    await rmdir(dirname(this.folder)).catch(() => undefined);
  }
}

function sizeAt(path: string): number | null {
  try {
    return statSync(path).size;
  } catch {
    return null;
  }
}

class NewFile implements JobFileWriter {
  readonly #path: string;
  readonly #name: string;
  readonly #file: number;
  readonly #hash = createHash("sha256");
  #size = 0;
  #isOpen = true;

  constructor(path: string, name: string) {
    this.#path = path;
    this.#name = name;
    this.#file = openSync(path, "wx", 0o644);
  }

  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#size += bytes.length;
  }

  end({ isRemade = false } = {}): FileRef {
    if (!isRemade) fdatasyncSync(this.#file);
    this.#close();
    return { name: this.#name, size: this.#size, sha256: this.#hash.digest("hex") };
  }

  abandon(): void {
    if (!this.#isOpen) return;
    this.#close();
    unlinkSync(this.#path);
  }

  #close(): void {
    this.#isOpen = false;
    closeSync(this.#file);
  }
}

class OpenFile implements JobFileReader {
  readonly #file: number;

  constructor(file: number) {
    this.#file = file;
  }

  readonly readAt: ReadAt = (offset, length) => {
    const bytes = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#file, bytes, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  };

  close(): void {
    closeSync(this.#file);
  }
}
