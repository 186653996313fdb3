/** Input of a job in S3: finds objects, remembers their ETags, and reads those versions and no other. */
import { posix } from "node:path";
import { limits } from "../../model/limits.ts";
import { s3Limits } from "../../model/limitsS3.ts";
import { parseS3Address, s3Address } from "../../s3/address.ts";
import { Bucket, type ListedKey } from "../../s3/bucket.ts";
import { S3Failure } from "../../s3/failure.ts";
import { patiently } from "../../s3/patience.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { OpenInput } from "../coordinator/mapWork.ts";
import type { PlannedFile } from "../coordinator/settings.ts";
import { checkPart, isOfOutput, partsOfOutput } from "./earlierOutput.ts";
import { plannedFile, storedVersion } from "./plannedFile.ts";

const patternSigns = /[*?[\]{}]/;

/** The objects that an address leads to: one, all below a folder, or those that match a pattern. @throws NonRetryableError if there are none */
export async function findS3Input(text: string): Promise<PlannedFile[]> {
  const { bucket: name, key } = addressOf(text);
  const bucket = new Bucket(name);
  try {
    return await patiently(async () => {
      const only = key === "" || key.endsWith("/") ? null : await bucket.head(key);
      if (only !== null) return [plannedFile({ path: text, size: only.size, version: only.etag })];
      const parts = patternSigns.test(key) ? null : await earlierOutput(bucket, key);
      if (parts !== null) return parts;
      const found: PlannedFile[] = [];
      for await (const listed of keysOf(bucket, key)) {
        const { size, etag: version } = listed;
        found.push(plannedFile({ path: s3Address({ bucket: name, key: listed.key }), size, version }));
        if (found.length > limits.jobFilesMax) break;
      }
      if (found.length === 0) throw new NonRetryableError(`There is no input at ${text}.`);
      return found;
    });
  } catch (error) {
    if (error instanceof S3Failure && error.kind === "refused")
      throw new NonRetryableError(`${text}: ${error.message}`);
    throw error;
  } finally {
    await bucket.close();
  }
}

/** The parts of the output of a job; null if it is none. */
async function earlierOutput(bucket: Bucket, key: string): Promise<PlannedFile[] | null> {
  const folder = key === "" || key.endsWith("/") ? key : `${key}/`;
  const text = s3Address({ bucket: bucket.name, key: folder });
  const read = async (name: string) => {
    const found = await bucket.head(folder + name);
    if (found === null) return null;
    return Buffer.concat(await Array.fromAsync(bucket.read(folder + name, found.etag, 0, found.size))).toString();
  };
  const parts = await partsOfOutput(text, read);
  if (parts === null) return null;
  const planned: PlannedFile[] = [];
  for (const part of parts) {
    const path = `${text}${part.name}`;
    const found = await bucket.head(folder + part.name);
    checkPart(path, part, found?.size ?? null);
    planned.push(plannedFile({ path, size: part.size, version: found?.etag ?? "" }));
  }
  return planned;
}

async function* keysOf(bucket: Bucket, key: string): AsyncGenerator<ListedKey, void, undefined> {
  const sign = key.search(patternSigns);
  const folder = sign !== -1 || key === "" || key.endsWith("/") ? key : `${key}/`;
  for await (const listed of bucket.list(sign === -1 ? folder : key.slice(0, sign))) {
    // A folder that somebody made by hand.
    if (listed.key.endsWith("/")) continue;
    const isHidden = /(^|\/)[._]/.test(listed.key.slice(folder.length));
    if (sign === -1 ? !isHidden : posix.matchesGlob(listed.key, key) && !isOfOutput(listed.key)) yield listed;
  }
}

/** @throws NonRetryableError if the object is not the one that was planned; when it is read, too */
export class S3Input implements OpenInput {
  readonly #file: PlannedFile;
  readonly #bucket: Bucket;
  readonly #key: string;
  #stream: AsyncGenerator<Uint8Array, void, undefined> | null = null;
  /** Where the next byte of the stream stands, and what was read of it and not yet given out. */
  #at = 0;
  #left: Uint8Array = Buffer.alloc(0);

  constructor(file: PlannedFile) {
    const { bucket, key } = addressOf(file.path);
    this.#file = file;
    this.#bucket = new Bucket(bucket);
    this.#key = key;
  }

  read(target: Buffer, position: number): Promise<number> {
    return patiently(() => this.#fill(target, position));
  }

  async close(): Promise<void> {
    await this.#end();
    await this.#bucket.close();
  }

  async #fill(target: Buffer, position: number): Promise<number> {
    const length = Math.min(target.length, this.#file.size - position);
    if (length <= 0) return 0;
    if (position !== this.#at) await this.#end();
    this.#at = position;
    try {
      let done = 0;
      while (done < length) {
        if (this.#left.length === 0) this.#left = await this.#next();
        const piece = this.#left.subarray(0, length - done);
        target.set(piece, done);
        this.#left = this.#left.subarray(piece.length);
        done += piece.length;
        this.#at += piece.length;
      }
      return done;
    } catch (error) {
      await this.#end();
      if (!(error instanceof S3Failure) || (error.kind !== "changed" && error.kind !== "absent")) throw error;
      throw new NonRetryableError(`${this.#file.path} was changed or removed while the job ran. Submit the job again.`);
    }
  }

  /** Streams a window at a time: a map needs but a part of a large object. */
  async #next(): Promise<Uint8Array> {
    const { size } = this.#file;
    const version = storedVersion(this.#file);
    for (;;) {
      this.#stream ??= this.#bucket.read(this.#key, version, this.#at, Math.min(size, this.#at + s3Limits.windowBytes));
      const { done, value } = await this.#stream.next();
      if (done !== true) return value;
      this.#stream = null;
    }
  }

  async #end(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    this.#left = Buffer.alloc(0);
    await stream?.return();
  }
}

function addressOf(text: string): { readonly bucket: string; readonly key: string } {
  const address = parseS3Address(text);
  if (address === null) throw new NonRetryableError(`${text} is no address in S3, such as s3://bucket/logs/.`);
  return address;
}
