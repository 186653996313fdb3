/** The output of a job in S3, and the claims of its attempts: objects below `_temporary/<job>/claims/`. */
import { Readable } from "node:stream";
import type { Bucket } from "../../s3/bucket.ts";
import { copyObject } from "../../s3/copy.ts";
import { S3Failure } from "../../s3/failure.ts";
import { patiently } from "../../s3/patience.ts";
import { type FoundOutput, OutputChanged, type OutputObjects } from "../coordinator/claimedPromotion.ts";
import type { FileRef } from "../coordinator/store.ts";

/** Which file of which job an object of the output was made from. */
const sourceMark = "outlast-source";

const claimsOf = (own: string) => `${own}claims/`;

/** It is there as long as the job is not over. */
export function openClaim(own: string): string {
  return `${claimsOf(own)}open`;
}

export async function isOpen(bucket: Bucket, own: string): Promise<boolean> {
  return (await bucket.head(openClaim(own))) !== null;
}

export class S3Outputs implements OutputObjects {
  /** The beginning of the keys of the job's files. */
  readonly ownSources: string;
  readonly #bucket: Bucket;
  /** The beginning of the keys of its output. */
  readonly #output: string;

  constructor(bucket: Bucket, own: string, output: string) {
    this.ownSources = own;
    this.#bucket = bucket;
    this.#output = output;
  }

  sourceOf({ name }: FileRef): string {
    return this.ownSources + name;
  }

  find(name: string): Promise<FoundOutput | null> {
    return patiently(async () => {
      const found = await this.#bucket.head(this.#output + name);
      return found === null ? null : { etag: found.etag, source: found.metadata[sourceMark] ?? null };
    });
  }

  names(): Promise<readonly string[]> {
    return patiently(async () => {
      const names: string[] = [];
      for await (const { key } of this.#bucket.list(this.#output)) {
        const name = key.slice(this.#output.length);
        if (name !== "" && !name.includes("/")) names.push(name);
      }
      return names;
    });
  }

  copy(file: FileRef, as: string, etag: string | null): Promise<void> {
    const source = this.sourceOf(file);
    const condition = etag === null ? "absent" : { etag };
    return orChanged(() => copyObject(this.#bucket, source, this.#output + as, condition, { [sourceMark]: source }));
  }

  async remove(name: string, etag: string): Promise<void> {
    const key = this.#output + name;
    try {
      await orChanged(() => this.#bucket.delete(key, etag));
    } catch (error) {
      // Not every server knows conditions of deletes. The window is small without one, and the manifest tells what belongs to the output.
      if (!(error instanceof S3Failure) || error.code !== "NotImplemented") throw error;
      await patiently(() => this.#bucket.delete(key));
    }
  }

  claim(attempt: number): Promise<void> {
    return patiently(() => this.#bucket.put(claimsOf(this.ownSources) + attempt, Readable.from([]), "any"));
  }

  unclaim(attempt: number): Promise<void> {
    return patiently(() => this.#bucket.delete(claimsOf(this.ownSources) + attempt));
  }

  claims(): Promise<readonly number[] | null> {
    return patiently(async () => {
      const prefix = claimsOf(this.ownSources);
      const claims = (await Array.fromAsync(this.#bucket.list(prefix))).map(({ key }) => key.slice(prefix.length));
      return claims.includes("open") ? claims.map(Number).filter((attempt) => attempt > 0) : null;
    });
  }
}

/** A request that is made again after an outage may find that it was done: that is a change, too. */
async function orChanged(request: () => Promise<void>): Promise<void> {
  try {
    await patiently(request);
  } catch (error) {
    if (error instanceof S3Failure && error.kind === "changed")
      throw new OutputChanged(error.message, { cause: error });
    throw error;
  }
}
