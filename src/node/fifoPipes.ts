/**
 * Real pipes for the output of commands. The ones that Node makes are socket pairs, which cannot be opened again by name: a
 * command that opens `/dev/stdout` or `/dev/stderr` would get ENXIO. Node has no pipe(2), so each pipe is a FIFO whose name is
 * removed as soon as both ends are open.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, open as openCallback } from "node:fs";
import { mkdir, mkdtemp, rm, unlink } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

const open = promisify(openCallback);
const run = promisify(execFile);
/** Names are made in batches, since each batch costs one process. */
const batchSize = 64;

export interface FifoPipe {
  readonly reader: Readable;
  /** The end that is handed to the command. */
  readonly writer: number;
}

export class FifoPipes {
  /** Where names are made; beside the worker's other files, or in the directory for temporary files. */
  readonly #wanted: string | null;
  /** The directory around it is this user's alone. */
  readonly #mode: string;
  #directory: string | null = null;
  #names: string[] = [];
  #making: Promise<void> | null = null;
  #made = 0;
  #isUnable = false;

  /** @param isForOthers true if commands run as another user: they may open `/dev/stdout` only if the pipe's mode lets everybody */
  constructor(directory: string | null, isForOthers = false) {
    this.#wanted = directory;
    this.#mode = isForOthers ? "666" : "600";
  }

  /** @returns null where this machine cannot make FIFOs. @throws what the system says if it has no descriptors left */
  async make(): Promise<FifoPipe | null> {
    const name = await this.#takeName();
    if (name === null) return null;
    const opened: number[] = [];
    try {
      // Without blocking, the reading end opens before anybody writes; the writing end must block, as commands expect.
      opened.push(await open(name, constants.O_RDONLY | constants.O_NONBLOCK));
      opened.push(await open(name, constants.O_WRONLY));
      const [reader, writer] = opened as [number, number];
      return { reader: new Socket({ fd: reader, readable: true, writable: false }), writer };
    } catch (error) {
      for (const file of opened) closeSync(file);
      // Whoever removed the directory has removed the other names, too.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      this.#names = [];
      this.#directory = null;
      return null;
    } finally {
      await unlink(name).catch(() => undefined);
    }
  }

  /** Removes the names that were not used. */
  async close(): Promise<void> {
    const directory = this.#directory;
    this.#directory = null;
    this.#names = [];
    if (directory !== null) await rm(directory, { recursive: true, force: true }).catch(() => undefined);
  }

  async #takeName(): Promise<string | null> {
    // Others may take what one batch brought before this call gets its turn.
    while (this.#names.length === 0 && !this.#isUnable) {
      this.#making ??= this.#makeNames().finally(() => {
        this.#making = null;
      });
      await this.#making;
    }
    return this.#names.pop() ?? null;
  }

  async #makeNames(): Promise<void> {
    let failure: unknown = null;
    for (const make of [() => this.#ownDirectory(), () => mkdtemp(join(tmpdir(), "outlast-pipes-"))]) {
      try {
        const directory = this.#directory ?? (await make());
        const names = Array.from({ length: batchSize }, () => {
          this.#made += 1;
          return join(directory, `${process.pid}-${this.#made}`);
        });
        await run("mkfifo", ["-m", this.#mode, ...names]);
        this.#directory = directory;
        this.#names = names;
        return;
      } catch (error) {
        if (isShortage(error)) throw error;
        this.#directory = null;
        failure = error;
      }
    }
    // No mkfifo(1), or no file system that can hold a FIFO.
    this.#isUnable = failure !== null;
  }

  async #ownDirectory(): Promise<string> {
    if (this.#wanted === null) throw new Error("no directory is set");
    // What an earlier life left there is of no use any more.
    await rm(this.#wanted, { recursive: true, force: true });
    await mkdir(this.#wanted, { mode: 0o700 });
    return this.#wanted;
  }
}

/** The machine is short of something now, and may not be later. */
function isShortage(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"].includes(code);
}
