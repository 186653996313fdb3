/**
 * Where tasks have another user than the worker (`--run-as`): what is done with their files is done by processes of that user. So
 * the system itself refuses whatever he may not do, whichever links or pipes a task puts in the way, and the worker needs no more
 * rights than it has.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { relativePathProblem } from "../../model/kinds/execPaths.ts";
import { limits } from "../../model/limits.ts";
import { AttemptFolder, type AttemptFolders, makeOwn } from "./attemptFolder.ts";
import { type FileTree, FolderProblem, type FoundArtifact } from "./fileTree.ts";
import { clearTree, removeTree } from "./removeTree.ts";
import { TreeProcess, type TreeProcessOptions } from "./treeProcess.ts";

export interface UserFoldersOptions extends TreeProcessOptions {
  /** Holds what is the worker's alone; absolute. Made if it is missing. */
  readonly own: string;
  /** Holds the files of tasks; absolute. Its user must be able to enter the folders above it. Made if it is missing. */
  readonly shared: string;
}

export class UserFolders implements AttemptFolders {
  readonly #options: UserFoldersOptions;

  constructor(options: UserFoldersOptions) {
    this.#options = options;
  }

  /** Makes the places, and tries them out. @throws what the system says if the user of tasks cannot have folders there */
  async open(): Promise<void> {
    const { shared } = this.#options;
    await mkdir(shared, { recursive: true });
    await chmod(dirname(shared), 0o711);
    // As in /tmp, everybody may make folders, and only remove his own. Nobody else can list them, and their names cannot be guessed.
    await chmod(shared, 0o1733);
    const trial = this.#tree(randomName());
    try {
      await trial.make();
      await trial.remove();
    } finally {
      trial.rest();
    }
  }

  async make(): Promise<AttemptFolder> {
    const own = await makeOwn(this.#options.own);
    const files = this.#tree(randomName());
    try {
      await files.make();
    } catch (error) {
      await removeTree(own);
      throw error;
    }
    return new AttemptFolder(files, own);
  }

  async clear(): Promise<void> {
    const { own, shared } = this.#options;
    await clearTree(own);
    // What is not the user's, he cannot remove: the socket of the worker, and what somebody else has put there.
    for (const name of await readdir(shared))
      if (name.startsWith(prefix))
        await this.#tree(name)
          .remove()
          .catch(() => undefined);
  }

  #tree(name: string): UserFileTree {
    return new UserFileTree(join(this.#options.shared, name), this.#options);
  }
}

const prefix = "attempt-";

function randomName(): string {
  return `${prefix}${randomBytes(16).toString("hex")}`;
}

/** Files of one attempt. What comes from its process is believed no more than what a task says: both have the same user. */
class UserFileTree implements FileTree {
  readonly path: string;
  readonly #process: TreeProcess;

  constructor(path: string, options: TreeProcessOptions) {
    this.path = path;
    this.#process = new TreeProcess(options);
  }

  /** A worker without all rights must enter it, too, before it changes to the user. */
  async make(): Promise<void> {
    await this.#process.ask({ do: "make", root: this.path, mode: 0o711 });
  }

  async put(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#process.ask({ do: "put", root: this.path, name }, content);
  }

  async discard(name: string): Promise<void> {
    await this.#process.ask({ do: "discard", root: this.path, name });
  }

  async find(patterns: readonly string[]): Promise<readonly FoundArtifact[]> {
    const found = await this.#process.ask({ do: "find", root: this.path, patterns });
    if (!Array.isArray(found) || found.length > limits.artifactsMax || !found.every(isArtifact))
      throw new FolderProblem("artifacts", "The artifacts cannot be listed: what deals with them says nonsense.");
    return found;
  }

  read(path: string): AsyncGenerator<Uint8Array, void, undefined> {
    return this.#process.receive({ do: "read", root: this.path, path });
  }

  async remove(): Promise<void> {
    await this.#process.ask({ do: "remove", root: this.path }).finally(() => this.rest());
  }

  rest(): void {
    this.#process.end();
  }
}

function isArtifact(value: unknown): value is FoundArtifact {
  if (typeof value !== "object" || value === null) return false;
  const { path, size } = value as { readonly path?: unknown; readonly size?: unknown };
  return typeof path === "string" && relativePathProblem(path) === null && Number.isSafeInteger(size);
}
