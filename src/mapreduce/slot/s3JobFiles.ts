/**
 * The files of a job whose output is in S3: `_temporary/<job>/` below the output. What is written goes to a scratch file of this
 * machine first, and is uploaded at its end: objects appear whole.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { s3Limits } from "../../model/limitsS3.ts";
import { type S3Address, s3Address } from "../../s3/address.ts";
import { Bucket } from "../../s3/bucket.ts";
import { S3Failure } from "../../s3/failure.ts";
import { patiently } from "../../s3/patience.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { beginPromotion } from "../coordinator/claimedPromotion.ts";
import type { FileRef, JobFileReader, JobFileWriter, Promotion } from "../coordinator/store.ts";
import { DamagedSegment } from "../engine/segment.ts";
import type { SlotFiles } from "./jobFiles.ts";
import { temporaryFolder } from "./jobFiles.ts";
import { isOpen, openClaim, S3Outputs } from "./s3Outputs.ts";
import { ScratchFile } from "./scratchFile.ts";

export class S3JobFiles implements SlotFiles {
  readonly #bucket: Bucket;
  /** Of keys of the output, and of the files of the job: empty, or with a slash at its end. */
  readonly #output: string;
  readonly #own: string;

  constructor({ bucket, key }: S3Address, jobId: string) {
    this.#bucket = new Bucket(bucket);
    const folder = key.replace(/\/+$/, "");
    this.#output = folder === "" ? "" : `${folder}/`;
    this.#own = `${this.#output}${temporaryFolder}/${jobId}/`;
  }

  open(): Promise<void> {
    return patiently(() => this.#bucket.put(openClaim(this.#own), Readable.from([]), "any"));
  }

  create(prefix: string, suffix = ""): JobFileWriter {
    const name = `${prefix}-${randomUUID().slice(0, 8)}${suffix}`;
    return new Upload(name, (scratch) => this.#upload(name, scratch));
  }

  async text(file: FileRef): Promise<string> {
    const reader = await this.read(file);
    const bytes = file.size === 0 ? Buffer.alloc(0) : await reader.readAt(0, file.size);
    reader.close();
    if (createHash("sha256").update(bytes).digest("hex") === file.sha256) return bytes.toString();
    throw new DamagedSegment(`${file.name} is not what was written`);
  }

  /** With its end, which holds the index of a file of a map. */
  async read({ name, size }: Pick<FileRef, "name" | "size">): Promise<JobFileReader> {
    const key = this.#own + name;
    const tail = await patiently(() => this.#bucket.tail(key, s3Limits.tailBytes));
    if (tail === null) throw new DamagedSegment(`${name} is gone`);
    if (tail.size !== size) throw new DamagedSegment(`${name} has ${tail.size} bytes instead of ${size}`);
    const tailAt = size - tail.bytes.length;
    const readAt = async (offset: number, length: number): Promise<Buffer> => {
      const until = Math.min(size, offset + length);
      if (offset >= tailAt) return tail.bytes.subarray(offset - tailAt, Math.max(offset, until) - tailAt);
      try {
        return await patiently(async () => {
          return Buffer.concat(await Array.fromAsync(this.#bucket.read(key, tail.etag, offset, until)));
        });
      } catch (error) {
        if (!(error instanceof S3Failure) || (error.kind !== "absent" && error.kind !== "changed")) throw error;
        throw new DamagedSegment(`${name} is gone, or another one`, { cause: error });
      }
    };
    return { readAt, close: () => undefined };
  }

  promotion(attempt: number): Promise<Promotion> {
    return beginPromotion(new S3Outputs(this.#bucket, this.#own, this.#output), attempt);
  }

  async remove(): Promise<void> {
    // First what says that the job is not over, so that an attempt that is late finds it gone.
    await patiently(() => this.#bucket.delete(openClaim(this.#own)));
    await patiently(() => this.#bucket.deleteAll(this.#own));
  }

  outputNames(max: number): Promise<readonly string[]> {
    return patiently(async () => {
      const names: string[] = [];
      for await (const { key } of this.#bucket.list(this.#output)) {
        const name = key.slice(this.#output.length);
        if (name.startsWith(`${temporaryFolder}/`) || name === "") continue;
        names.push(name);
        if (names.length >= max) break;
      }
      return names;
    });
  }

  async withLocal<Result>(file: FileRef, work: (path: string) => Promise<Result>): Promise<Result> {
    const folder = await mkdtemp(join(tmpdir(), "outlast-job-"));
    try {
      const path = join(folder, basename(file.name));
      await writeFile(path, await this.text(file), { mode: 0o600 });
      return await work(path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  close(): Promise<void> {
    return this.#bucket.close();
  }

  async #upload(name: string, scratch: ScratchFile): Promise<void> {
    const key = this.#own + name;
    const over = () => {
      const place = s3Address({ bucket: this.#bucket.name, key: this.#own });
      return new NonRetryableError(`The job whose files are in ${place} is over.`);
    };
    if (!(await patiently(() => isOpen(this.#bucket, this.#own)))) throw over();
    await patiently(() => this.#bucket.put(key, pieces(scratch), "absent"));
    // It may have ended meanwhile, and nobody else would remove this.
    if (await patiently(() => isOpen(this.#bucket, this.#own))) return;
    await patiently(() => this.#bucket.delete(key));
    throw over();
  }
}

class Upload implements JobFileWriter {
  readonly #name: string;
  readonly #upload: (scratch: ScratchFile) => Promise<void>;
  readonly #hash = createHash("sha256");
  #scratch: ScratchFile | null = new ScratchFile();

  constructor(name: string, upload: (scratch: ScratchFile) => Promise<void>) {
    this.#name = name;
    this.#upload = upload;
  }

  write(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    this.#scratch?.append(bytes);
  }

  async end(): Promise<FileRef> {
    const scratch = this.#scratch;
    if (scratch === null) throw new Error(`${this.#name} was ended before`);
    await this.#upload(scratch);
    const size = scratch.length;
    this.abandon();
    return { name: this.#name, size, sha256: this.#hash.digest("hex") };
  }

  abandon(): void {
    this.#scratch?.close();
    this.#scratch = null;
  }
}

const pieceBytes = 1 << 20;

async function* pieces(scratch: ScratchFile): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < scratch.length; at += pieceBytes)
    yield scratch.read(at, Math.min(pieceBytes, scratch.length - at));
}
