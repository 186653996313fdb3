/** Blobs as the API sees them: content goes straight into the blobs port, and what is known of it through the journal. */
import type { Reply } from "../../core/scheduler/effects.ts";
import { blobFolder, objectFolder } from "../../model/blob.ts";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import {
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  isObjectName,
  type ListedObject,
  type ObjectContent,
  ObjectTaken,
  ObjectTooLarge,
  type StoredObject,
} from "../../ports/blobs.ts";
import type { Log } from "../../ports/log.ts";
import type { BlobApi, KeptBlob } from "./blobApi.ts";
import type { ServiceCalls } from "./templateService.ts";

export class BlobService implements BlobApi {
  readonly #calls: ServiceCalls;
  readonly #blobs: Blobs | null;
  readonly #log: Log;

  constructor(calls: ServiceCalls, blobs: Blobs | null, log: Log) {
    this.#calls = calls;
    this.#blobs = blobs;
    this.#log = log;
  }

  get isShared(): boolean {
    return this.#blobs?.isShared === true;
  }

  async put(content: AsyncIterable<Uint8Array>): Promise<KeptBlob> {
    const { ids, clock, checkLeading } = this.#calls;
    checkLeading();
    const blobs = this.#place();
    const object = `${blobFolder}/${ids.task(clock.now())}`;
    const stored = await this.#translate(() => blobs.put(object, content, limits.blobBodyBytesMax));
    const reply = await this.#keep(blobs, stored, object);
    // Only now is it known that nobody refers to this copy. If it cannot be removed, it is collected later.
    if (reply.object !== object) await blobs.delete(object).catch(() => undefined);
    return { ...stored, isNew: reply.isNew };
  }

  /** Makes a stored object a blob. Where it is certain that it has become none, it goes at once: collected, it would lie there for days. */
  async #keep(blobs: Blobs, stored: StoredObject, object: string): Promise<Extract<Reply, { kind: "blob" }>> {
    let isUnknown = false;
    try {
      const missing = await this.#missing(stored.sha256);
      isUnknown = true;
      const upload = { ...stored, object, missing };
      const reply = await this.#calls.ask((request) => ({ kind: "keep-blob", request, upload }));
      if (reply.kind !== "blob") throw new Error(`The scheduler answered ${reply.kind} to an upload.`);
      return reply;
    } catch (error) {
      const isRefused = error instanceof OutlastError && error.code !== "unavailable" && error.code !== "not-leader";
      if (isRefused || !isUnknown) await blobs.delete(object).catch(() => undefined);
      throw error;
    }
  }

  async stat(sha256: string): Promise<{ readonly size: number }> {
    const found = await this.#translate(async () => this.#place().stat(await this.#objectOf(sha256)));
    if (found === null) throw noBlob(sha256);
    return found;
  }

  async read(sha256: string, range?: ByteRange): Promise<ObjectContent> {
    const found = await this.#translate(async () => this.#place().get(await this.#objectOf(sha256), range));
    if (found === null) throw noBlob(sha256);
    return found;
  }

  async release(sha256: string): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "release-blob", request, sha256 }));
  }

  putObject(name: string, content: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    const place = this.#place();
    return this.#translate(() => place.put(inFolder(name), content, limits.blobBodyBytesMax));
  }

  async statObject(name: string): Promise<{ readonly size: number }> {
    const found = await this.#translate(async () => this.#place().stat(inFolder(name)));
    if (found === null) throw noObject(name);
    return found;
  }

  async readObject(name: string, range?: ByteRange): Promise<ObjectContent> {
    const found = await this.#translate(async () => this.#place().get(inFolder(name), range));
    if (found === null) throw noObject(name);
    return found;
  }

  async deleteObject(name: string): Promise<void> {
    await this.#translate(async () => this.#place().delete(inFolder(name)));
  }

  async deleteObjects(folder: string): Promise<void> {
    await this.#translate(async () => this.#place().deleteAll(inFolder(folder)));
  }

  async *listObjects(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    for await (const { name, size } of this.#place().list(inFolder(folder))) {
      yield { name: name.slice(objectFolder.length + 1), size };
    }
  }

  /** The object of a blob that is known and whose file is lost: another disk, a restored store. */
  async #missing(sha256: string): Promise<string | null> {
    const { read, store } = this.#calls;
    const record = await read(() => store.readRecord("blobs", sha256));
    if (record === null) return null;
    return (await this.#translate(() => this.#place().stat(record.object))) === null ? record.object : null;
  }

  async #objectOf(sha256: string): Promise<string> {
    const { read, store } = this.#calls;
    const record = await read(() => store.readRecord("blobs", sha256));
    if (record === null) throw noBlob(sha256);
    return record.object;
  }

  /** Errors of the port, as callers are told of them; what they are not told is in the log. */
  async #translate<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof BlobsUnavailable) {
        this.#log.warn("the place of files could not be used", { reason: error.reason, error });
      }
      throw toOutlastError(error);
    }
  }

  #place(): Blobs {
    if (this.#blobs !== null) return this.#blobs;
    throw new OutlastError("unavailable", "This master has no place for files.", {
      hint: "Start it with --blobs and a directory.",
    });
  }
}

/** Objects of clients are apart from those that hold blobs. @throws OutlastError `bad-request` */
function inFolder(name: string): string {
  const inside = `${objectFolder}/${name}`;
  if (isObjectName(inside)) return inside;
  throw new OutlastError("bad-request", "This is no name of an object.", {
    hint: `Up to ${limits.objectNamePartsMax - 1} parts between slashes, of letters, digits and . _ = @ : ~ -; no part begins with a dot.`,
    limit: "objectNameLengthMax",
  });
}

function toOutlastError(error: unknown): unknown {
  if (error instanceof ObjectTaken) return new OutlastError("conflict", error.message);
  if (error instanceof ObjectTooLarge) {
    return new OutlastError("too-large", `The file is larger than ${error.bytesMax} bytes.`, {
      limit: "blobBodyBytesMax",
      hint: "Split it, or keep it where the tasks can reach it and name it in their input.",
    });
  }
  if (!(error instanceof BlobsUnavailable)) return error;
  if (error.reason === "full") {
    return new OutlastError("storage-full", "There is no room for this file where the masters keep files.", {
      reason: error.reason,
      hint: "Nothing was stored. Free space there, or remove blobs with `outlast blob rm`.",
    });
  }
  return new OutlastError("unavailable", "The place where the masters keep files cannot be used at the moment.", {
    reason: error.reason,
    hint: "Try again. The master's log says more.",
  });
}

function noBlob(sha256: string): OutlastError {
  const days = defaults.blobLeaseMs / 86_400_000;
  return new OutlastError("not-found", `There is no blob ${sha256}.`, {
    hint: `Upload it (again): a blob that nothing refers to is removed after ${days} day${days === 1 ? "" : "s"}.`,
  });
}

function noObject(name: string): OutlastError {
  return new OutlastError("not-found", `There is no object ${name}.`);
}
