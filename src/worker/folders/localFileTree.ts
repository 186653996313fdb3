/** Files of an attempt that this process deals with itself, with the rights of its own user. */
import { constants } from "node:fs";
import { chmod, type FileHandle, lstat, mkdir, open, opendir, rm } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { folderMatcher, pathMatcher, relativePathProblem } from "../../model/kinds/execPaths.ts";
import { limits } from "../../model/limits.ts";
import { type FileTree, FolderProblem, type FoundArtifact } from "./fileTree.ts";
import { removeTree } from "./removeTree.ts";

/** No permission, a name that is not UTF-8, a path that is too long. */
const unreadable = ["EACCES", "EPERM", "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

export class LocalFileTree implements FileTree {
  readonly path: string;

  /** @param path absolute */
  constructor(path: string) {
    this.path = path;
  }

  /** @param mode who may enter it, whatever this process's umask says @throws what the system says if it is there already */
  async make(mode: number): Promise<void> {
    await mkdir(this.path);
    await chmod(this.path, mode);
  }

  async put(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const problem = relativePathProblem(name);
    if (problem !== null) throw new FolderProblem("invalid-input", `The file ${JSON.stringify(name)}: ${problem}.`);
    const path = join(this.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeNew(path, content);
  }

  async discard(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
  }

  async find(patterns: readonly string[]): Promise<readonly FoundArtifact[]> {
    return this.#search(patterns).catch((error: unknown) => {
      throw this.#explain(error);
    });
  }

  async #search(patterns: readonly string[]): Promise<readonly FoundArtifact[]> {
    const isWanted = pathMatcher(patterns);
    const leadsBelow = folderMatcher(patterns);
    const found: FoundArtifact[] = [];
    let bytes = 0;
    let entries = 0;
    const walk = async (folder: string, prefix: string): Promise<void> => {
      // A command may have put a link in the place of a folder: what it leads to is not the attempt's.
      if (!(await lstat(folder)).isDirectory()) return;
      for await (const entry of await opendir(folder)) {
        entries += 1;
        if (entries > limits.folderEntriesMax) throw tooMany("entries in its folder", "folderEntriesMax");
        const path = `${prefix}${entry.name}`;
        if (entry.isDirectory()) {
          // Of any other folder it is of no matter what is in it, nor that it cannot be entered.
          if (leadsBelow(path)) await walk(join(folder, entry.name), `${path}/`);
        } else if (isWanted(path)) {
          const { size } = await this.#check(path);
          found.push({ path, size });
          bytes += size;
          if (found.length > limits.artifactsMax) throw tooMany("artifacts", "artifactsMax");
          if (bytes > limits.artifactsBytesMax) throw tooMany("bytes of artifacts", "artifactsBytesMax");
        }
      }
    };
    await walk(this.path, "");
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async *read(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    // Without blocking: a pipe that nobody writes to would never open.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(join(this.path, path), flags).catch((error: unknown) => {
      throw this.#explain(error);
    });
    try {
      if (!(await file.stat()).isFile()) throw notKept(path, "no regular file");
      for (;;) {
        const piece = Buffer.allocUnsafe(limits.blobPieceBytesMax);
        const { bytesRead } = await file.read(piece, 0, piece.length, null);
        if (bytesRead === 0) return;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  rest(): void {}

  remove(): Promise<void> {
    return removeTree(this.path);
  }

  /** What a command has left cannot be read: that is its own doing, and another machine would meet the same. */
  #explain(error: unknown): unknown {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined || path === undefined || !unreadable.includes(code)) return error;
    return new FolderProblem("artifacts", `The artifact ${quote(relative(this.path, path))} cannot be read (${code}).`);
  }

  async #check(path: string): Promise<{ readonly size: number }> {
    const problem = relativePathProblem(path);
    if (problem !== null)
      throw new FolderProblem("artifacts", `The artifact ${quote(path)} cannot be kept: ${problem}.`);
    const found = await lstat(join(this.path, path));
    if (found.isFile()) return found;
    const what = found.isSymbolicLink() ? "a symbolic link" : "no regular file";
    throw notKept(path, what);
  }
}

/** @throws what the system says if it is there already */
export async function writeNew(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file: FileHandle = await open(path, "wx", 0o644);
  try {
    for await (const piece of content) {
      for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}

function notKept(path: string, what: string): FolderProblem {
  return new FolderProblem("artifacts", `The artifact ${quote(path)} is ${what}; only files can be kept.`);
}

function tooMany(what: string, limit: keyof typeof limits): FolderProblem {
  return new FolderProblem("artifacts", `The attempt has left more than ${String(limits[limit])} ${what} (${limit}).`);
}

function quote(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
