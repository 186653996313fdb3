/** A bucket of S3, or of a server that speaks its protocol: objects by their keys, with conditions, streamed in both directions. */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { GetObjectCommandOutput, ListMultipartUploadsCommandOutput, S3Client } from "@aws-sdk/client-s3";
import { s3Limits } from "../model/limitsS3.ts";
import { createS3Client, endpointOf } from "./client.ts";
import { S3Failure, toS3Failure } from "./failure.ts";

export interface FoundObject {
  /** In bytes. */
  readonly size: number;
  /** Another content has another one. */
  readonly etag: string;
  /** What was said when it was written, by lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ListedKey {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

export interface ObjectTail extends Omit<FoundObject, "metadata"> {
  readonly bytes: Buffer;
}

/** Write only if there is no object of this key, only in place of one with this ETag, or in any case. */
export type Condition = "absent" | { readonly etag: string } | "any";

/** The mark of one upload: by it an uploader knows its own object again. */
const uploadMark = "outlast-upload";

/** All methods throw `S3Failure` for what goes wrong with S3. */
export class Bucket {
  readonly name: string;
  #client: Promise<S3Client> | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** For people. */
  get place(): string {
    const endpoint = endpointOf();
    return `bucket ${this.name}${endpoint !== null && URL.canParse(endpoint) ? ` at ${new URL(endpoint).host}` : ""}`;
  }

  /**
   * Writes an object; it is there whole or not at all. An error of `content` is passed on, and nothing is left.
   * @throws S3Failure `changed` if the condition does not hold; after another one the object may be there all the same
   */
  async put(
    key: string,
    content: AsyncIterable<Uint8Array>,
    condition: Condition,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const client = await this.client();
    const { Upload } = await import("@aws-sdk/lib-storage");
    const mark = randomUUID();
    let broken: { readonly error: unknown } | null = null;
    /** Tells errors of the content from those that the SDK throws in when it gives up reading. */
    async function* watched() {
      const iterator = content[Symbol.asyncIterator]();
      try {
        for (;;) {
          const next = await iterator.next().catch((error: unknown) => {
            broken = { error };
            throw error;
          });
          if (next.done === true) return;
          yield next.value;
        }
      } finally {
        await iterator.return?.();
      }
    }
    const upload = new Upload({
      client,
      params: {
        ...this.#at(key),
        Body: Readable.from(watched()),
        Metadata: { ...metadata, [uploadMark]: mark },
        ...conditionOf(condition),
      },
      partSize: s3Limits.partBytes,
      queueSize: s3Limits.partsAtOnce,
    });
    try {
      await upload.done();
    } catch (error) {
      if (broken !== null) throw (broken as { readonly error: unknown }).error;
      const failure = toS3Failure(error, this.place);
      if (!isOfCondition(failure)) throw failure;
      // A request that was made again because its answer was lost finds the object that it wrote itself.
      const found = await this.head(key);
      if (found?.metadata[uploadMark] === mark) return;
      if (failure.kind === "conflict" && found === null) throw awayBecauseOf(failure);
      throw new S3Failure("changed", failure.code, failure.message);
    }
  }

  /** Null if there is none. */
  async head(key: string): Promise<FoundObject | null> {
    const { HeadObjectCommand } = await sdk();
    const found = await this.#unlessAbsent(async (client) => client.send(new HeadObjectCommand(this.#at(key))));
    if (found === null) return null;
    return { size: found.ContentLength ?? 0, etag: found.ETag ?? "", metadata: found.Metadata ?? {} };
  }

  /**
   * Bytes `from` … `until - 1` of the object with this ETag. Goes on where it was if the connection breaks.
   * @throws S3Failure `changed` if it is another one now, `absent` if it is gone
   */
  async *read(key: string, etag: string, from: number, until: number): AsyncGenerator<Uint8Array, void, undefined> {
    let at = from;
    for (let fruitless = 0; at < until; ) {
      const begunAt = at;
      try {
        for await (const piece of await this.#body(key, etag, at, until)) {
          at += piece.length;
          if (at > until) throw new S3Failure("away", "TooMuch", `${this.place} sent more than it was asked for.`);
          yield piece;
        }
        if (at < until) throw new S3Failure("away", "CutOff", `${this.place} sent less than it was asked for.`);
      } catch (error) {
        const failure = toS3Failure(error, this.place);
        fruitless = at === begunAt ? fruitless + 1 : 0;
        const isWorthIt = failure instanceof S3Failure && failure.kind === "away" && fruitless < s3Limits.readsMax;
        if (!isWorthIt) throw failure;
      }
    }
  }

  /** The last bytes of an object, at most `length`, with its whole size; null if there is none. */
  async tail(key: string, length: number): Promise<ObjectTail | null> {
    const found = await this.head(key);
    if (found === null) return null;
    const { size, etag } = found;
    const bytes = await Array.fromAsync(this.read(key, etag, Math.max(0, size - length), size));
    return { size, etag, bytes: Buffer.concat(bytes) };
  }

  /** Does nothing if there is none. @param etag only the object with this one, where the server looks at it */
  async delete(key: string, etag?: string): Promise<void> {
    const { DeleteObjectCommand } = await sdk();
    const which = etag === undefined ? {} : { IfMatch: etag };
    await this.#unlessAbsent((client) => client.send(new DeleteObjectCommand({ ...this.#at(key), ...which })));
  }

  /** All whose keys begin with `prefix`. */
  async deleteAll(prefix: string): Promise<void> {
    let batch: string[] = [];
    const flush = async () => {
      await Promise.all(batch.map((key) => this.delete(key)));
      batch = [];
    };
    for await (const { key } of this.list(prefix)) {
      batch.push(key);
      if (batch.length >= s3Limits.requestsAtOnce) await flush();
    }
    await flush();
  }

  /** In the order of their keys' bytes. */
  async *list(prefix: string): AsyncGenerator<ListedKey, void, undefined> {
    const { ListObjectsV2Command } = await sdk();
    let token: string | undefined;
    do {
      const from = token === undefined ? {} : { ContinuationToken: token };
      const request = new ListObjectsV2Command({ Bucket: this.name, Prefix: prefix, ...from });
      const page = await this.#try((client) => client.send(request));
      for (const { Key: key, Size: size = 0, ETag: etag = "" } of page.Contents ?? []) {
        if (key !== undefined) yield { key, size, etag };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Removes what uploads left that did not end, and began before an instant. */
  async abandonUploads(prefix: string, beforeAt: number): Promise<void> {
    const { AbortMultipartUploadCommand, ListMultipartUploadsCommand } = await sdk();
    await this.#try(async (client) => {
      let from: { KeyMarker?: string; UploadIdMarker?: string } | null = {};
      while (from !== null) {
        const request = new ListMultipartUploadsCommand({ Bucket: this.name, Prefix: prefix, ...from });
        const page: ListMultipartUploadsCommandOutput = await client.send(request);
        for (const { Key: key = "", UploadId: id, Initiated: begunAt } of page.Uploads ?? []) {
          const isOld = begunAt !== undefined && begunAt.getTime() < beforeAt;
          if (isOld) await client.send(new AbortMultipartUploadCommand({ ...this.#at(key), UploadId: id }));
        }
        const { IsTruncated: isMore, NextKeyMarker: key, NextUploadIdMarker: id } = page;
        from = isMore === true && key !== undefined ? { KeyMarker: key, ...(id && { UploadIdMarker: id }) } : null;
      }
    });
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    client?.destroy();
  }

  /** For requests that this class does not know. */
  client(): Promise<S3Client> {
    this.#client ??= createS3Client();
    return this.#client;
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.name, Key: key };
  }

  async #body(key: string, etag: string, from: number, until: number): Promise<AsyncIterable<Uint8Array>> {
    const { GetObjectCommand } = await sdk();
    const request = new GetObjectCommand({ ...this.#at(key), IfMatch: etag, Range: `bytes=${from}-${until - 1}` });
    const answer: GetObjectCommandOutput = await this.#try((client) => client.send(request));
    return answer.Body as AsyncIterable<Uint8Array>;
  }

  async #unlessAbsent<Result>(work: (client: S3Client) => Promise<Result>): Promise<Result | null> {
    try {
      return await this.#try(work);
    } catch (error) {
      if (error instanceof S3Failure && error.kind === "absent") return null;
      throw error;
    }
  }

  async #try<Result>(work: (client: S3Client) => Promise<Result>): Promise<Result> {
    try {
      return await work(await this.client());
    } catch (error) {
      throw toS3Failure(error, this.place);
    }
  }
}

function sdk() {
  return import("@aws-sdk/client-s3");
}

export function conditionOf(condition: Condition): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === "any") return {};
  return condition === "absent" ? { IfNoneMatch: "*" } : { IfMatch: condition.etag };
}

function isOfCondition(error: unknown): error is S3Failure {
  return error instanceof S3Failure && (error.kind === "changed" || error.kind === "conflict");
}

/** S3 asks that the object be uploaded again from its beginning; only the caller has that. */
function awayBecauseOf({ code, message }: S3Failure): S3Failure {
  return new S3Failure("away", code, message);
}
