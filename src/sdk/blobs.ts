/** The part of the client that is about files: `client.blobs`. */
import { OutlastError } from "../model/errors.ts";
import type { BlobSource } from "./blobSource.ts";
import type { CallOptions } from "./callOptions.ts";
import type { Connection } from "./connection.ts";

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

  /** The bytes as they arrive. */
  async *get(sha256: string, { from = 0, until, signal }: GetBlobOptions = {}): AsyncGenerator<Uint8Array> {
    if (until !== undefined && until <= from) return;
    const isPart = from > 0 || until !== undefined;
    const headers = isPart ? { range: `bytes=${from}-${until === undefined ? "" : until - 1}` } : {};
    const answer = await this.#connection.open({ method: "GET", path: pathOf(sha256), headers, signal });
    try {
      for await (const piece of answer.response.body ?? []) yield piece;
    } finally {
      answer.close();
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

function pathOf(sha256: string): string {
  return `/v1/blobs/${encodeURIComponent(sha256)}`;
}
