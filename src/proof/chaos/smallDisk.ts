/** A disk small enough to be filled: a file system in memory, for the store alone. Only root on Linux can make one. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const pieces = [1024 * 1024, 64 * 1024, 4096, 512];

export class SmallDisk {
  readonly directory: string;
  readonly #filler: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#filler = join(directory, "filler");
  }

  /** Null where this process may not mount one. */
  static mount(directory: string, bytes: number): SmallDisk | null {
    if (process.platform !== "linux" || process.getuid?.() !== 0) return null;
    mkdirSync(directory, { recursive: true });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "outlast-chaos", directory], { stdio: "ignore" });
      return new SmallDisk(directory);
    } catch {
      rmdirSync(directory);
      return null;
    }
  }

  /** Takes the last free byte. */
  fill(): void {
    const file = openSync(this.#filler, "a");
    try {
      for (const size of pieces) while (hasWritten(file, size));
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  unmount(): void {
    execFileSync("umount", ["-l", this.directory], { stdio: "ignore" });
    rmdirSync(this.directory);
  }
}

/** False when there was no room for all of it. */
function hasWritten(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) === size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}
