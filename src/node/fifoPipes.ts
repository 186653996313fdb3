/**
 * Real pipes for the output of commands. The ones that Node makes are socket pairs, which cannot be opened again by name: a
 * command that opens `/dev/stdout` or `/dev/stderr` would get ENXIO. Node has no pipe(2), so each pipe is a FIFO whose name is
 * removed as soon as both ends are open.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, constants, lstatSync, open as openCallback, openSync, readdirSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Pipes are made in batches, since each batch costs one process, and the first one is small, since each pipe holds descriptors. */
const batchMin = 4;
/** So many are held ready at most. */
export const pipesReadyMax = 64;
/** What statfs(2) says of a file system in memory. */
const typeInMemory = 0x01021994;

export interface FifoPipe {
  readonly reader: Readable;
  /** The end that is handed to the command. */
  readonly writer: number;
}

interface Ends {
  readonly reader: number;
  readonly writer: number;
}

interface Batch {
  readonly count: number;
  readonly mode: string;
}

/** How files of a place are dealt with: from a thread where its disk may hang. */
interface Files {
  open(name: string, flags: number): number | Promise<number>;
  remove(directory: string): void | Promise<void>;
}

const direct: Files = {
  open: openSync,
  remove: (directory) => rmSync(directory, { recursive: true, force: true }),
};
const threaded: Files = {
  open: promisify(openCallback),
  remove: (directory) => rm(directory, { recursive: true, force: true }),
};

export class FifoPipes {
  /** Beside the worker's other files. */
  readonly #own: string | null;
  readonly #memory: string;
  /** Of the folders in which names are made: what an earlier life of this worker has left in memory is told by it. */
  readonly #prefix: string;
  /** The directory around it is this user's alone. */
  readonly #mode: string;
  #batch = batchMin;
  #ready: Ends[] = [];
  #making: Promise<void> | null = null;
  #hasCleared = false;
  #hasClearedMemory = false;
  #isUnable = false;

  /**
   * @param own where names may be made for a moment, if not in memory; null for the directory for temporary files
   * @param isForOthers true if commands run as another user: they may open `/dev/stdout` only if the pipe's mode lets everybody
   * @param memory where a name costs no disk anything, and no disk can hang
   */
  constructor(own: string | null, isForOthers = false, memory = "/dev/shm") {
    this.#own = own;
    this.#memory = memory;
    const mark = own === null ? "" : `${createHash("sha256").update(own).digest("hex").slice(0, 16)}-`;
    this.#prefix = `outlast-pipes-${mark}`;
    this.#mode = isForOthers ? "666" : "600";
  }

  /** @returns null where this machine cannot make FIFOs. @throws what the system says if it has no descriptors left */
  async make(): Promise<FifoPipe | null> {
    // Others may take what one batch brought before this call gets its turn.
    while (this.#ready.length === 0 && !this.#isUnable) {
      this.#making ??= this.#makeBatch().finally(() => {
        this.#making = null;
      });
      await this.#making;
    }
    const ends = this.#ready.pop();
    if (ends === undefined) return null;
    return { reader: new Socket({ fd: ends.reader, readable: true, writable: false }), writer: ends.writer };
  }

  /** Gives up the pipes that were not used. */
  async close(): Promise<void> {
    await this.#making?.catch(() => undefined);
    for (const ends of this.#ready.splice(0)) close(ends);
    if (this.#own !== null) await rm(this.#own, { recursive: true, force: true }).catch(() => undefined);
  }

  async #makeBatch(): Promise<void> {
    let failure: unknown = null;
    const places: readonly (readonly [Files, () => Promise<string>])[] = [
      [direct, () => this.#memoryPlace()],
      [threaded, () => this.#ownPlace()],
      [threaded, async () => tmpdir()],
    ];
    for (const [files, place] of places) {
      try {
        this.#ready = await makeIn(join(await place(), this.#prefix), files, { count: this.#batch, mode: this.#mode });
        this.#batch = Math.min(2 * this.#batch, pipesReadyMax);
        return;
      } catch (error) {
        this.#batch = batchMin;
        if (isShortage(error)) throw error;
        failure = error;
      }
    }
    // No mkfifo(1), or no file system that can hold a FIFO.
    this.#isUnable = failure !== null;
  }

  async #memoryPlace(): Promise<string> {
    const { type } = await statfs(this.#memory);
    if (type !== typeInMemory) throw new Error("not in memory");
    const isFirst = !this.#hasClearedMemory;
    // Also where it fails: the pipes matter more.
    this.#hasClearedMemory = true;
    if (isFirst && this.#own !== null) clear(this.#memory, this.#prefix);
    return this.#memory;
  }

  async #ownPlace(): Promise<string> {
    if (this.#own === null) throw new Error("no directory is set");
    // What an earlier life left there is of no use any more.
    if (!this.#hasCleared) await rm(this.#own, { recursive: true, force: true });
    await mkdir(this.#own, { mode: 0o700, recursive: true });
    this.#hasCleared = true;
    return this.#own;
  }
}

/** A worker that was killed while it made pipes has left a folder. One of another user is let alone: it may hold anything. */
function clear(memory: string, prefix: string): void {
  for (const name of readdirSync(memory)) {
    const path = join(memory, name);
    if (!name.startsWith(prefix) || lstatSync(path, { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** None of their names is left, whatever happens. */
async function makeIn(prefix: string, files: Files, { count, mode }: Batch): Promise<Ends[]> {
  const directory = await mkdtemp(prefix);
  const made: Ends[] = [];
  try {
    const names = Array.from({ length: count }, (_, index) => join(directory, String(index)));
    await run("mkfifo", ["-m", mode, ...names]);
    for (const name of names) made.push(await openEnds(name, files));
    await files.remove(directory);
    return made;
  } catch (error) {
    for (const ends of made) close(ends);
    await rm(directory, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

async function openEnds(name: string, files: Files): Promise<Ends> {
  // Without blocking, the reading end opens before anybody writes; the writing end must block, as commands expect.
  const reader = await files.open(name, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { reader, writer: await files.open(name, constants.O_WRONLY) };
  } catch (error) {
    closeSync(reader);
    throw error;
  }
}

function close({ reader, writer }: Ends): void {
  closeSync(reader);
  closeSync(writer);
}

/** The machine is short of something now, and may not be later. */
function isShortage(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"].includes(code);
}
