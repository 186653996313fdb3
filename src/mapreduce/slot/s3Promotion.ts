/**
 * Changes the output of a job in S3. Nothing can be renamed there, so attempts make claims: objects below `_temporary/<job>/claims/`.
 * An attempt looks at the claims before each change, and makes the change only if what it is about to write over is still what it saw. So
 * an earlier attempt, however late it is, changes nothing that a later one has written.
 */
import type { Bucket, Condition, FoundObject } from "../../s3/bucket.ts";
import { copyObject } from "../../s3/copy.ts";
import { S3Failure } from "../../s3/failure.ts";
import { patiently } from "../../s3/patience.ts";
import type { FileRef, Promotion } from "../coordinator/store.ts";

/** Which file of which job an object of the output was made from. */
const sourceMark = "outlast-source";
/** How often a change is begun again that found something else than it saw. */
const changesMax = 5;

const claimsOf = (own: string) => `${own}claims/`;

/** It is there as long as the job is not over. */
export function openClaim(own: string): string {
  return `${claimsOf(own)}open`;
}

export async function isOpen(bucket: Bucket, own: string): Promise<boolean> {
  return (await bucket.head(openClaim(own))) !== null;
}

/**
 * @param own the beginning of the keys of the job's files
 * @param output the beginning of the keys of its output
 * @throws Error if a later attempt promotes, or the job is over
 */
export async function beginS3Promotion(
  bucket: Bucket,
  own: string,
  output: string,
  attempt: number,
): Promise<Promotion> {
  const promotion = new S3Promotion(bucket, own, output, attempt);
  await promotion.claim();
  return promotion;
}

class S3Promotion implements Promotion {
  readonly #bucket: Bucket;
  readonly #own: string;
  readonly #output: string;
  readonly #attempt: number;

  constructor(bucket: Bucket, own: string, output: string, attempt: number) {
    this.#bucket = bucket;
    this.#own = own;
    this.#output = output;
    this.#attempt = attempt;
  }

  async claim(): Promise<void> {
    // First its own claim, then the look at the others: of two attempts at least one sees the other.
    const key = `${claimsOf(this.#own)}${this.#attempt}`;
    await patiently(() => this.#bucket.put(key, nothing(), "any"));
    try {
      await this.#check();
    } catch (error) {
      if (!(await patiently(() => isOpen(this.#bucket, this.#own)))) await this.#bucket.delete(key);
      throw error;
    }
  }

  async names(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { key } of this.#bucket.list(this.#output)) {
      const name = key.slice(this.#output.length);
      if (name !== "" && !name.includes("/")) names.push(name);
    }
    return names;
  }

  link(file: FileRef, as: string): Promise<boolean> {
    return this.#change(as, async (found) => {
      if (found !== null) return this.#isFrom(found, file);
      await this.#put(file, as, "absent");
      return true;
    });
  }

  async replace(file: FileRef, as: string): Promise<void> {
    await this.#change(as, async (found) => {
      if (found === null || !this.#isFrom(found, file)) {
        await this.#put(file, as, found === null ? "absent" : { etag: found.etag });
      }
    });
  }

  async retract(name: string): Promise<void> {
    await this.#change(name, async (found) => {
      // What an earlier attempt of this job has put there is of the same output.
      const isOwn = found?.metadata[sourceMark]?.startsWith(this.#own) === true;
      if (found !== null && !isOwn) await this.#bucket.delete(this.#output + name, found.etag);
    });
  }

  /** Looks at what is there, at the claims, and then lets `make` do what follows; again if something else was there by then. */
  async #change<Result>(name: string, make: (found: FoundObject | null) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await patiently(async () => {
          const found = await this.#bucket.head(this.#output + name);
          await this.#check();
          return make(found);
        });
      } catch (error) {
        const isOther = error instanceof S3Failure && error.kind === "changed";
        if (!isOther || tries >= changesMax) throw error;
      }
    }
  }

  async #check(): Promise<void> {
    const claims = claimsOf(this.#own);
    let isOver = true;
    for await (const { key } of this.#bucket.list(claims)) {
      const claim = key.slice(claims.length);
      if (claim === "open") isOver = false;
      else if (Number(claim) > this.#attempt) throw new Error(`Attempt ${claim} of this job promotes its output.`);
    }
    if (isOver) throw new Error("The files of this job are gone: it is over.");
  }

  #put(file: FileRef, as: string, condition: Condition): Promise<void> {
    const mark = { [sourceMark]: this.#sourceOf(file) };
    return copyObject(this.#bucket, this.#own + file.name, this.#output + as, condition, mark);
  }

  #isFrom({ metadata }: FoundObject, file: FileRef): boolean {
    return metadata[sourceMark] === this.#sourceOf(file);
  }

  #sourceOf({ name }: FileRef): string {
    return this.#own + name;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
