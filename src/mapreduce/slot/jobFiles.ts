/**
 * The files of a job between map and reduce, and the parts of its output before they are promoted: in a folder that every worker reaches.
 * A name is given out once: each attempt writes under a name of its own, so that an attempt that was given up changes nothing.
 */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { mkdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { DamagedSegment, type ReadAt } from "../engine/segment.ts";

/** A file that was written whole. */
export interface FileRef {
  /** Within the folder of the job. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly sha256: string;
}

/** Where output goes, and in it what a job keeps while it runs. */
export const temporaryFolder = "_temporary";

export class JobFiles {
  readonly folder: string;

  constructor(outputFolder: string, jobId: string) {
    this.folder = join(outputFolder, temporaryFolder, jobId);
  }

  /** Makes the folder. Only the job itself does that: what runs on after its end finds nothing to write into. */
  async open(): Promise<void> {
    for (const name of ["map", "reduce", "job"]) await mkdir(join(this.folder, name), { recursive: true });
  }

  /** Begins a file whose name begins and ends like this. @throws NonRetryableError if the job is over */
  create(prefix: string, suffix = ""): JobFileWriter {
    const name = `${prefix}-${randomUUID().slice(0, 8)}${suffix}`;
    try {
      return new JobFileWriter(this.pathOf(name), name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new NonRetryableError(
        `The folder ${this.folder} is not there. Is it the same on every worker, or has the job ended?`,
      );
    }
  }

  write(prefix: string, content: string, suffix = ""): FileRef {
    const file = this.create(prefix, suffix);
    file.write(Buffer.from(content));
    return file.end();
  }

  /** The text of a file, checked. @throws DamagedSegment */
  async text({ name, size, sha256 }: FileRef): Promise<string> {
    const bytes = await readFile(this.pathOf(name)).catch((error: unknown) => {
      throw new DamagedSegment(`${name} cannot be read`, { cause: error });
    });
    if (bytes.length === size && createHash("sha256").update(bytes).digest("hex") === sha256) return bytes.toString();
    throw new DamagedSegment(`${name} is not what was written`);
  }

  /** Opens a file. @throws DamagedSegment if it is gone or has another size */
  async read({ name, size }: Pick<FileRef, "name" | "size">): Promise<OpenJobFile> {
    const path = this.pathOf(name);
    const found = await stat(path).catch(() => null);
    if (found === null) throw new DamagedSegment(`${name} is gone`);
    if (found.size !== size) throw new DamagedSegment(`${name} has ${found.size} bytes instead of ${size}`);
    return new OpenJobFile(openSync(path, "r"));
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    // Other jobs may have something in it.
    await rmdir(dirname(this.folder)).catch(() => undefined);
  }
}

export class JobFileWriter {
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

  /** On disk when it returns. */
  end(): FileRef {
    fdatasyncSync(this.#file);
    this.#close();
    return { name: this.#name, size: this.#size, sha256: this.#hash.digest("hex") };
  }

  /** Removes what was written; does nothing after `end`. */
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

export class OpenJobFile {
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
