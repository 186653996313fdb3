/**
 * Objects in a bucket of S3. What makes an object whole or absent is S3's own promise, and its conditional writes are what makes names
 * taken. Folders end in `!`, which no name may contain: some servers keep objects as files, where an object and a folder of one
 * name would clash.
 */
import { defaults } from "../../model/defaults.ts";
import { s3Limits } from "../../model/limitsS3.ts";
import {
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  checkObjectName,
  isObjectName,
  type ListedObject,
  type ObjectContent,
  ObjectTaken,
  type StoredObject,
} from "../../ports/blobs.ts";
import type { S3Address } from "../../s3/address.ts";
import { Bucket } from "../../s3/bucket.ts";
import { examineBucket } from "../../s3/examine.ts";
import { S3Failure } from "../../s3/failure.ts";
import { Measured } from "../measured.ts";
import { spanOf } from "../span.ts";
import { Turns } from "./turns.ts";

export class S3Blobs implements Blobs {
  readonly isShared = true;
  readonly #bucket: Bucket;
  /** Empty, or with a slash at its end. */
  readonly #prefix: string;
  readonly #uploads = new Turns(s3Limits.uploadsMax);
  #isTrusted: Promise<void> | null = null;

  constructor({ bucket, key }: S3Address) {
    this.#bucket = new Bucket(bucket);
    const prefix = key.replace(/^\/+|\/+$/g, "");
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
  }

  /** A bucket that is away now may be there at the first use, or the next: this can be called again, and need not be. */
  async open(): Promise<string> {
    await this.#trusted();
    return `S3, ${this.#bucket.place}${this.#prefix === "" ? "" : `, below ${this.#prefix}`}`;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    const key = this.#keyOf(name);
    const measured = new Measured(content, bytesMax);
    try {
      await this.#trusted();
      await this.#uploads.turn(() => this.#bucket.put(key, measured, "absent"));
    } catch (error) {
      if (error instanceof S3Failure && error.kind === "changed") throw new ObjectTaken(`There is an object ${name}.`);
      throw toBlobsError(error);
    }
    return measured.result();
  }

  async get(name: string, range?: ByteRange): Promise<ObjectContent | null> {
    const key = this.#keyOf(name);
    const found = await this.#try(() => this.#bucket.head(key));
    if (found === null) return null;
    const { from, until } = spanOf(range, found.size);
    return { size: found.size, content: this.#read(key, found.etag, from, until) };
  }

  async stat(name: string): Promise<{ readonly size: number } | null> {
    const key = this.#keyOf(name);
    const found = await this.#try(() => this.#bucket.head(key));
    return found === null ? null : { size: found.size };
  }

  async delete(name: string): Promise<void> {
    const key = this.#keyOf(name);
    await this.#try(() => this.#bucket.delete(key));
  }

  async deleteAll(folder: string): Promise<void> {
    const prefix = this.#folderOf(folder);
    await this.#try(() => this.#bucket.deleteAll(prefix));
  }

  async *list(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    const prefix = this.#folderOf(folder);
    try {
      await this.#trusted();
      for await (const { key, size } of this.#bucket.list(prefix)) {
        const name = key.slice(this.#prefix.length).replaceAll("!/", "/");
        // Whatever else somebody has put there is none of ours.
        if (isObjectName(name) && this.#keyOf(name) === key) yield { name, size };
      }
    } catch (error) {
      throw toBlobsError(error);
    }
  }

  async close(): Promise<void> {
    await this.#isTrusted?.catch(() => undefined);
    this.#isTrusted = null;
    await this.#bucket.close();
  }

  async *#read(key: string, etag: string, from: number, until: number): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.#bucket.read(key, etag, from, until);
    } catch (error) {
      throw toBlobsError(error);
    }
  }

  #keyOf(name: string): string {
    checkObjectName(name);
    return this.#prefix + name.replaceAll("/", "!/");
  }

  #folderOf(folder: string): string {
    return `${this.#keyOf(folder)}!/`;
  }

  /** Tries out once whether the bucket does what is needed, before anything is kept there. */
  #trusted(): Promise<void> {
    this.#isTrusted ??= this.#examine().catch((error: unknown) => {
      this.#isTrusted = null;
      throw toBlobsError(error);
    });
    return this.#isTrusted;
  }

  async #examine(): Promise<void> {
    await examineBucket(this.#bucket, this.#prefix);
    // Not everybody may list them. A rule of the bucket can remove them as well.
    await this.#bucket.abandonUploads(this.#prefix, Date.now() - defaults.blobOrphanMs).catch(() => undefined);
  }

  async #try<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      await this.#trusted();
      return await work();
    } catch (error) {
      throw toBlobsError(error);
    }
  }
}

function toBlobsError(error: unknown): unknown {
  if (!(error instanceof S3Failure)) return error;
  const reasons = { full: "full", away: "network", conflict: "network", absent: "io", changed: "io", refused: "io" };
  const reason = reasons[error.kind];
  return new BlobsUnavailable(reason, `S3: ${error.message}`);
}
