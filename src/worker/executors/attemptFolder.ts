/** The folder of one attempt: made fresh, filled with the files that the task names, searched for artifacts, removed afterwards. */
import { constants } from "node:fs";
import { chmod, type FileHandle, lstat, mkdir, mkdtemp, open, opendir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pathMatcher, relativePathProblem } from "../../model/kinds/execPaths.ts";
import { limits } from "../../model/limits.ts";

/** What an attempt has left, or was given, cannot be used as it is; the message is for people. */
export class FolderProblem extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** No permission, a name that is not UTF-8, a path that is too long. */
const unreadable = ["EACCES", "EPERM", "ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

export interface FoundArtifact {
  /** Relative, with slashes. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

export class AttemptFolder {
  readonly #root: string;
  /** The working folder of the commands. Absolute. */
  readonly files: string;
  /** What commands read from their stdin; outside of their working folder. */
  readonly stdin: string;

  private constructor(root: string) {
    this.#root = root;
    this.files = join(root, "files");
    this.stdin = join(root, "stdin");
  }

  /** @param parent absolute; made if it is missing */
  static async make(parent: string): Promise<AttemptFolder> {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    const folder = new AttemptFolder(await mkdtemp(join(parent, "attempt-")));
    await mkdir(folder.files);
    return folder;
  }

  /** Removes a file that was not written to its end. */
  static async discard(path: string): Promise<void> {
    await rm(path, { force: true });
  }

  writeStdin(text: string): Promise<void> {
    return writeFile(this.stdin, text);
  }

  /** Writes a file that is not there yet. `name` was checked when the task was submitted. */
  async put(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const problem = relativePathProblem(name);
    if (problem !== null) throw new FolderProblem("invalid-input", `The file ${JSON.stringify(name)}: ${problem}.`);
    const path = join(this.files, name);
    await mkdir(dirname(path), { recursive: true });
    await write(path, content);
  }

  putStdin(content: AsyncIterable<Uint8Array>): Promise<void> {
    return write(this.stdin, content);
  }

  /** The files that match, in the order of their paths. @throws FolderProblem */
  async find(patterns: readonly string[]): Promise<readonly FoundArtifact[]> {
    return this.#search(patterns).catch((error: unknown) => {
      throw this.#explain(error);
    });
  }

  async #search(patterns: readonly string[]): Promise<readonly FoundArtifact[]> {
    const isWanted = pathMatcher(patterns);
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
        if (entry.isDirectory()) await walk(join(folder, entry.name), `${path}/`);
        else if (isWanted(path)) {
          const { size } = await this.#check(path);
          found.push({ path, size });
          bytes += size;
          if (found.length > limits.artifactsMax) throw tooMany("artifacts", "artifactsMax");
          if (bytes > limits.artifactsBytesMax) throw tooMany("bytes of artifacts", "artifactsBytesMax");
        }
      }
    };
    await walk(this.files, "");
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** The content of an artifact. Never follows a link. @throws FolderProblem */
  async *read(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const file = await open(join(this.files, path), flags).catch((error: unknown) => {
      throw this.#explain(error);
    });
    try {
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

  /** What cannot be removed now is left for the next start of the worker. */
  async remove(): Promise<void> {
    await removeTree(this.#root).catch(() => undefined);
  }

  /** What a command has left cannot be read: that is its own doing, and another machine would meet the same. */
  #explain(error: unknown): unknown {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === undefined || path === undefined || !unreadable.includes(code)) return error;
    return new FolderProblem(
      "artifacts",
      `The artifact ${quote(relative(this.files, path))} cannot be read (${code}).`,
    );
  }

  async #check(path: string): Promise<{ readonly size: number }> {
    const problem = relativePathProblem(path);
    if (problem !== null)
      throw new FolderProblem("artifacts", `The artifact ${quote(path)} cannot be kept: ${problem}.`);
    const found = await lstat(join(this.files, path));
    if (found.isFile()) return found;
    const what = found.isSymbolicLink() ? "a symbolic link" : "no regular file";
    throw new FolderProblem("artifacts", `The artifact ${quote(path)} is ${what}; only files can be kept.`);
  }
}

/** Empties the place of the folders, when no attempt runs. */
export async function removeAttemptFolders(parent: string): Promise<void> {
  await removeTree(parent);
}

/** A command may have left folders that do not let their files go, as caches of compilers are. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await openFolders(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(folder: string): Promise<void> {
  if (!(await lstat(folder)).isDirectory()) return;
  await chmod(folder, 0o700);
  for await (const entry of await opendir(folder)) if (entry.isDirectory()) await openFolders(join(folder, entry.name));
}

async function write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const file: FileHandle = await open(path, "wx", 0o644);
  try {
    for await (const piece of content) {
      for (let at = 0; at < piece.length; ) at += (await file.write(piece, at, piece.length - at)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}

function tooMany(what: string, limit: keyof typeof limits): FolderProblem {
  return new FolderProblem("artifacts", `The attempt has left more than ${String(limits[limit])} ${what} (${limit}).`);
}

function quote(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
