/** Moves files between an attempt's folder and the masters, for as long as it takes: a master may be away for a while. */
import { defaults, limits } from "../../model/limits.ts";
import { type BlobAccess, BlobsUnavailable, ObjectTooLarge, type StoredObject } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { AttemptFolder } from "../folders/attemptFolder.ts";
import { FolderProblem } from "../folders/fileTree.ts";

/** The attempt was aborted meanwhile. */
export class TransferAborted extends Error {}

export interface TransferParts {
  readonly blobs: BlobAccess | null;
  readonly clock: Clock;
  readonly isAborted: () => boolean;
}

export class Transfers {
  readonly #parts: TransferParts;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Hands a blob to `write`, which must be able to begin anew. @throws FolderProblem, TransferAborted */
  async fetch(sha256: string, write: (content: AsyncIterable<Uint8Array>) => Promise<void>): Promise<void> {
    await this.#untilAnswered(async (blobs) => {
      const found = await blobs.getBlob(sha256);
      if (found === null) throw new FolderProblem("blob-missing", `There is no blob ${sha256} any more.`);
      await write(this.#watched(found.content));
    });
  }

  /** Uploads what matches and tells the leader of it. @throws FolderProblem, TransferAborted */
  async keepArtifacts(folder: AttemptFolder, patterns: readonly string[], session: AttemptSession): Promise<void> {
    const found = await folder.files.find(patterns);
    for (let first = 0; first < found.length; first += limits.artifactsPerItemMax) {
      const files: { path: string; sha256: string; size: number }[] = [];
      for (const { path } of found.slice(first, first + limits.artifactsPerItemMax)) {
        files.push({ path, ...(await this.#upload(folder, path)) });
      }
      const answer = await session.send({ kind: "artifacts", first, files });
      if (answer.verdict === "refused") throw new FolderProblem("artifacts", answer.message);
      // Its result will be stale as well.
      if (answer.verdict === "stale") return;
    }
  }

  /** Uploads one file and tells the leader of it. @throws FolderProblem, TransferAborted */
  async keepArtifact(
    folder: AttemptFolder,
    path: string,
    index: number,
    session: Pick<AttemptSession, "send">,
  ): Promise<StoredObject> {
    const stored = await this.#upload(folder, path);
    const answer = await session.send({ kind: "artifacts", first: index, files: [{ path, ...stored }] });
    if (answer.verdict === "refused") throw new FolderProblem(answer.code, answer.message);
    if (answer.verdict === "stale") throw new TransferAborted();
    return { sha256: stored.sha256, size: stored.size };
  }

  async #upload(folder: AttemptFolder, path: string): Promise<StoredObject> {
    return this.#untilAnswered(async (blobs) => {
      try {
        return await blobs.putBlob(this.#watched(folder.files.read(path)));
      } catch (error) {
        if (!(error instanceof ObjectTooLarge)) throw error;
        const message = `The artifact ${JSON.stringify(path)} is larger than ${error.bytesMax} bytes.`;
        throw new FolderProblem("artifacts", message);
      }
    });
  }

  async *#watched(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of content) {
      if (this.#parts.isAborted()) throw new TransferAborted();
      yield piece;
    }
  }

  async #untilAnswered<Result>(work: (blobs: BlobAccess) => Promise<Result>): Promise<Result> {
    const { blobs, clock, isAborted } = this.#parts;
    if (blobs === null) throw new FolderProblem("unsupported", "This worker cannot reach files.");
    for (let waitMs: number = defaults.reconnectBaseMs; ; waitMs = Math.min(waitMs * 2, defaults.reconnectMaxMs)) {
      if (isAborted()) throw new TransferAborted();
      try {
        return await work(blobs);
      } catch (error) {
        if (!(error instanceof BlobsUnavailable)) throw error;
        if (error.reason === "full") throw new FolderProblem("storage-full", error.message);
      }
      await new Promise<void>((resolve) => clock.at(clock.now() + waitMs, resolve));
    }
  }
}
