/** The folder of one attempt, made fresh and removed afterwards: the files that its commands work on, and what they read from stdin. */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { FileTree } from "./fileTree.ts";
import { LocalFileTree, writeNew } from "./localFileTree.ts";
import { clearTree, removeTree } from "./removeTree.ts";

/** Where a worker keeps the folders of its attempts. */
export interface AttemptFolders {
  /** @throws what the system says if this machine cannot have it */
  make(): Promise<AttemptFolder>;
  /** Removes what earlier attempts have left, as far as that can be done. Call it when no attempt runs. */
  clear(): Promise<void>;
}

export class AttemptFolder {
  readonly files: FileTree;
  /** What commands read from their stdin: a path that only the worker can enter. Absolute. */
  readonly stdin: string;
  readonly #own: string;

  /** @param own a folder of the worker that is removed with this one; absolute */
  constructor(files: FileTree, own: string) {
    this.files = files;
    this.stdin = join(own, "stdin");
    this.#own = own;
  }

  /** Replaces what an earlier try has left. */
  async putStdin(content: AsyncIterable<Uint8Array>): Promise<void> {
    await rm(this.stdin, { force: true });
    await writeNew(this.stdin, content);
    // A command of another user, who is handed the open file, may open it again by `/dev/stdin`.
    await chmod(this.stdin, 0o644);
  }

  /** What cannot be removed now is left for the next start of the worker. */
  async remove(): Promise<void> {
    await this.files.remove().catch(() => undefined);
    await removeTree(this.#own).catch(() => undefined);
  }
}

/** Where tasks have the worker's own user. */
export class OwnFolders implements AttemptFolders {
  readonly #parent: string;

  /** @param parent absolute; made if it is missing */
  constructor(parent: string) {
    this.#parent = parent;
  }

  async make(): Promise<AttemptFolder> {
    const own = await makeOwn(this.#parent);
    const files = new LocalFileTree(join(own, "files"));
    await files.make(0o755);
    return new AttemptFolder(files, own);
  }

  async clear(): Promise<void> {
    await clearTree(this.#parent);
  }
}

/** @param parent absolute; made for this user only, if it is missing @returns a fresh folder in it */
export async function makeOwn(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return mkdtemp(join(parent, "attempt-"));
}
