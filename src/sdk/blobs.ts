/** The part of the client that is about files: `client.blobs`. */
import { OutlastError } from "../model/errors.ts";
import { defaults } from "../model/limits.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { BlobSource } from "./blobSource.ts";
import type { CallOptions } from "./callOptions.ts";
import type { Connection } from "./connection.ts";
import type { FetchAnswer } from "./fetch.ts";
import { withinStall } from "./serverEvents.ts";

/** A file by its content: give `blob` to tasks, and either to `get`. */
export interface BlobInfo {
  /** 64 hex digits. */
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** `sha256:` and the digits: what tasks take. Wherever it stands in an input or an output, the blob is kept. */
  readonly blob: string;
}

/** A file that the committed attempt of a task has left. */
export interface Artifact {
  /** Relative, with slashes. */
  readonly path: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
}

export interface GetBlobOptions extends CallOptions {
  /** The first byte; 0 if left out. */
  readonly from?: number;
  /** The byte behind the last one; the end of the file if left out. */
  readonly until?: number;
}

/** A download is given up when so many answers in a row have brought nothing. */
const cutsInARowMax = 5;

/** In place of a piece: the answer ended before it was whole. */
const cut = Symbol("cut");

export class Blobs {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Uploads a file. It is kept for a day at least, and as long as something refers to it. The same content is one blob. */
  put(content: BlobSource, { signal }: CallOptions = {}): Promise<BlobInfo> {
    return this.#connection.json<BlobInfo>({ method: "POST", path: "/v1/blobs", content, signal });
  }

  /** Null if there is no such blob. */
  async stat(sha256: string, { signal }: CallOptions = {}): Promise<BlobInfo | null> {
    try {
      const answer = await this.#connection.open({ method: "HEAD", path: pathOf(sha256), signal });
      answer.close();
      return {
        sha256: sha256.replace("sha256:", ""),
        blob: `sha256:${sha256.replace("sha256:", "")}`,
        size: Number(answer.response.headers.get("content-length")),
      };
    } catch (error) {
      if (error instanceof OutlastError && error.code === "not-found") return null;
      throw error;
    }
  }

  /** The bytes as they arrive; where an answer is cut off, the rest is asked for again, of another master if need be. */
  async *get(sha256: string, { from = 0, until, signal }: GetBlobOptions = {}): AsyncGenerator<Uint8Array> {
    let at = from;
    let end = until;
    for (let cutsInARow = 0; end === undefined || at < end; ) {
      const isPart = at > 0 || end !== undefined;
      const headers = isPart ? { range: `bytes=${at}-${end === undefined ? "" : end - 1}` } : {};
      const answer = await this.#connection.open({ method: "GET", path: pathOf(sha256), headers, signal });
      end = endOf(answer.response, at) ?? end;
      let isWhole = true;
      try {
        for await (const piece of piecesOf(answer.response, signal)) {
          isWhole = piece !== cut;
          if (piece === cut) break;
          cutsInARow = 0;
          at += piece.length;
          yield piece;
        }
      } finally {
        answer.close();
      }
      if (isWhole) return;
      cutsInARow += 1;
      if (cutsInARow > cutsInARowMax)
        throw new OutlastError("unavailable", "The download was cut off again and again.");
      await pause(backoffMs(cutsInARow), signal);
    }
  }

  /** What the committed attempt of a task has left; empty before there is one. */
  async artifacts(task: string, { signal }: CallOptions = {}): Promise<readonly Artifact[]> {
    const path = `/v1/tasks/${encodeURIComponent(task)}/artifacts`;
    return (await this.#connection.json<{ artifacts: readonly Artifact[] }>({ method: "GET", path, signal })).artifacts;
  }

  /** Ends the lease: the blob is removed once nothing refers to it. */
  async release(sha256: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.remove(pathOf(sha256), signal);
  }
}

/** Where the bytes of an answer that begins at `from` end; null if it does not say. */
function endOf({ headers }: FetchAnswer, from: number): number | null {
  const length = headers.get("content-length");
  return length === null || headers.get("content-encoding") !== null ? null : from + Number(length);
}

async function* piecesOf(
  { body }: FetchAnswer,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array | typeof cut, void, undefined> {
  const reader = body?.getReader();
  try {
    for (;;) {
      const next =
        reader === undefined ? { done: true as const } : await withinStall(reader.read(), defaults.clientTryMs);
      if (next.done) return;
      yield next.value;
    }
  } catch {
    signal?.throwIfAborted();
    yield cut;
  } finally {
    reader?.cancel().catch(() => {});
  }
}

function pathOf(sha256: string): string {
  return `/v1/blobs/${encodeURIComponent(sha256)}`;
}
