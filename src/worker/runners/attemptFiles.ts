/** What `ctx.files` of one handler's attempt asks its worker for: a folder, files of the masters in it, and artifacts out of it. */
import { join } from "node:path";
import type { FilesAnswer, FilesRequest } from "../../model/attemptFiles.ts";
import { sha256Of } from "../../model/blob.ts";
import { relativePathProblem } from "../../model/kinds/execPaths.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { Machine } from "../executors/kindRunner.ts";
import { TransferAborted, Transfers } from "../executors/transfers.ts";
import type { AttemptFolder } from "../folders/attemptFolder.ts";
import { FolderProblem } from "../folders/fileTree.ts";

/** What it needs of its machine. */
export type FilesMachine = Pick<Machine, "blobs" | "clock" | "attemptFolders">;

export class AttemptFiles {
  readonly #machine: FilesMachine;
  readonly #session: Pick<AttemptSession, "send">;
  readonly #transfers: Transfers;
  readonly #published = new Set<string>();
  #folder: Promise<AttemptFolder> | null = null;
  /** Artifacts are numbered in the order in which they were asked for. */
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(machine: FilesMachine, session: Pick<AttemptSession, "send">) {
    this.#machine = machine;
    this.#session = session;
    const { blobs, clock } = machine;
    this.#transfers = new Transfers({ blobs, clock, isAborted: () => this.#isOver });
  }

  /** Never rejects. Null once the attempt is over: then nobody waits for an answer. */
  async answer(asked: FilesRequest): Promise<FilesAnswer | null> {
    try {
      return await this.#do(asked);
    } catch (error) {
      if (this.#isOver || error instanceof TransferAborted) return null;
      if (error instanceof FolderProblem) return { problem: { code: error.code, message: error.message } };
      const message = error instanceof Error ? error.message : String(error);
      return { problem: { code: "folder", message: `The folder of the attempt cannot be used: ${message}` } };
    }
  }

  /** The same for who must not hear of an attempt that is over: never resolves then. */
  async answerWhileRunning(asked: FilesRequest): Promise<FilesAnswer> {
    return (await this.answer(asked)) ?? new Promise<never>(() => undefined);
  }

  /** What is under way is given up, and the folder goes. Call it when nothing of the handler runs any more. */
  async end(): Promise<void> {
    this.#isOver = true;
    const folder = await this.#folder?.catch(() => null);
    await folder?.remove();
  }

  async #do(asked: FilesRequest): Promise<FilesAnswer> {
    const folder = await this.#open();
    switch (asked.do) {
      case "folder":
        return { path: folder.files.path };
      case "input":
        return { path: await this.#input(folder, asked.reference, asked.path) };
      case "publish": {
        const published = this.#last.then(() => this.#publish(folder, asked.path));
        this.#last = published.catch(() => undefined);
        return published;
      }
      default:
        return asked satisfies never;
    }
  }

  #open(): Promise<AttemptFolder> {
    const { attemptFolders } = this.#machine;
    if (attemptFolders === null) throw new FolderProblem("unsupported", "This worker has no place for files.");
    this.#folder ??= attemptFolders.make();
    return this.#folder;
  }

  async #input(folder: AttemptFolder, reference: string, path: string): Promise<string> {
    const sha256 = sha256Of(reference);
    if (sha256 === null) throw new FolderProblem("invalid", `${JSON.stringify(reference)} names no blob.`);
    checkPath(path);
    await this.#transfers.fetch(sha256, async (content) => {
      // What an earlier try has left, or an earlier call has put there.
      await folder.files.discard(path);
      await folder.files.put(path, content);
    });
    return join(folder.files.path, path);
  }

  async #publish(folder: AttemptFolder, path: string): Promise<FilesAnswer> {
    checkPath(path);
    if (this.#published.has(path)) throw new FolderProblem("invalid", `${JSON.stringify(path)} is published already.`);
    if (this.#published.size >= limits.artifactsMax)
      throw new FolderProblem("too-many", `An attempt keeps at most ${limits.artifactsMax} files.`);
    const stored = await this.#transfers.keepArtifact(folder, path, this.#published.size, this.#session);
    this.#published.add(path);
    return stored;
  }
}

function checkPath(path: string): void {
  const problem = relativePathProblem(path);
  if (problem !== null)
    throw new FolderProblem("invalid", `The path ${JSON.stringify(path.slice(0, 200))}: ${problem}.`);
}
