/**
 * Objects in GridFS, in the database of the store: collections `blobs.files` and `blobs.chunks`. A file's document is inserted
 * after all of its chunks, which is what makes an object whole or absent; a unique index on its name makes names taken.
 */
import type { Collection, Db, GridFSBucket, GridFSFile, MongoClient, ObjectId } from "mongodb";
import { defaults } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import { durableOptions, unlessSaid, withoutFixed } from "../../model/mongodbOptions.ts";
import {
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  checkObjectName,
  type ListedObject,
  type ObjectContent,
  ObjectTaken,
  type StoredObject,
} from "../../ports/blobs.ts";
import { Measured } from "../measured.ts";
import { spanOf } from "../span.ts";

export interface GridfsOptions {
  readonly uri: string;
  readonly database: string;
  /** The address without credentials, for people. */
  readonly name: string;
}

interface Place {
  readonly client: MongoClient;
  readonly bucket: GridFSBucket;
  readonly files: Collection<GridFSFile>;
  readonly chunks: Collection<{ _id: ObjectId; files_id: ObjectId; n: number }>;
  readonly idBefore: (seconds: number) => ObjectId;
}

const bucketName = "blobs";
const duplicateKey = 11000;
/** OutOfDiskSpace. */
const outOfDiskSpace = 14031;
/** Chunks of broken uploads that are looked at together. */
const leftoversPerLook = 1000;

export class GridfsBlobs implements Blobs {
  readonly isShared = true;
  readonly #options: GridfsOptions;
  #place: Promise<Place> | null = null;

  constructor(options: GridfsOptions) {
    this.#options = options;
  }

  /** A server that is away now may be there at the first use, or the next: this can be called again, and need not be. */
  async open(): Promise<string> {
    await this.#opened();
    return `GridFS in ${this.#options.name}`;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    checkObjectName(name);
    const { bucket, chunks } = await this.#opened();
    const measured = new Measured(content, bytesMax);
    const upload = bucket.openUploadStream(name);
    // Failures are passed to the callbacks below.
    upload.on("error", () => {});
    let isEnding = false;
    try {
      for await (const piece of measured) {
        await this.#try(() => called((done) => upload.write(Buffer.from(piece), done)));
      }
      isEnding = true;
      await this.#try(() => called((done) => upload.end(done)));
      // `end` may be called back before the file's document is refused.
      if (upload.errored !== null) await this.#try(() => Promise.reject(upload.errored ?? new Error()));
      return measured.result();
    } catch (error) {
      // Its document may be there all the same, or come yet, and then the object must be whole.
      const isUnknown = isEnding && error instanceof BlobsUnavailable;
      // Its chunks; what cannot be removed now is a leftover for a later start.
      if (!isUnknown) await chunks.deleteMany({ files_id: upload.id }).catch(() => undefined);
      if (codeOf(error) === duplicateKey) throw new ObjectTaken(`There is an object ${name}.`);
      throw error;
    }
  }

  async get(name: string, range?: ByteRange): Promise<ObjectContent | null> {
    const file = await this.#find(name);
    if (file === null) return null;
    const { length: size } = file;
    const { from, until } = spanOf(range, size);
    return { size, content: this.#read(file._id, from, until) };
  }

  async stat(name: string): Promise<{ readonly size: number } | null> {
    const file = await this.#find(name);
    return file === null ? null : { size: file.length };
  }

  async delete(name: string): Promise<void> {
    const file = await this.#find(name);
    if (file !== null) await this.#deleteFile(file._id);
  }

  async deleteAll(folder: string): Promise<void> {
    checkObjectName(folder);
    const { files } = await this.#opened();
    await this.#try(async () => {
      for await (const { _id } of files.find(below(folder), { projection: { _id: 1 } })) await this.#deleteFile(_id);
    });
  }

  async *list(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    checkObjectName(folder);
    const { files } = await this.#opened();
    try {
      for await (const { filename: name, length: size } of files.find(below(folder))) yield { name, size };
    } catch (error) {
      throw this.#toBlobsError(error);
    }
  }

  async close(): Promise<void> {
    const place = await this.#place?.catch(() => null);
    this.#place = null;
    await place?.client.close();
  }

  async *#read(id: ObjectId, from: number, until: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (from === until) return;
    const { bucket } = await this.#opened();
    const download = bucket.openDownloadStream(id, { start: from, end: until });
    let left = until - from;
    try {
      for await (const piece of download as AsyncIterable<Buffer>) {
        left -= piece.length;
        yield piece;
      }
      // The driver says nothing where the last chunks are missing.
      if (left > 0) throw new BlobsUnavailable("io", `An object in ${this.#options.name} is shorter than it was.`);
    } catch (error) {
      throw this.#toBlobsError(error);
    } finally {
      download.destroy();
    }
  }

  async #find(name: string): Promise<GridFSFile | null> {
    checkObjectName(name);
    const { files } = await this.#opened();
    return this.#try(() => files.findOne({ filename: name }));
  }

  /** The document first: from then on the object is not there any more. */
  async #deleteFile(_id: ObjectId): Promise<void> {
    const { files, chunks } = await this.#opened();
    return this.#try(async () => {
      await files.deleteOne({ _id });
      await chunks.deleteMany({ files_id: _id });
    });
  }

  #opened(): Promise<Place> {
    this.#place ??= this.#try(() => connect(this.#options)).catch((error: unknown) => {
      this.#place = null;
      throw error;
    });
    return this.#place;
  }

  async #try<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#toBlobsError(error);
    }
  }

  #toBlobsError(error: unknown): unknown {
    if (!(error instanceof Error) || !error.name.startsWith("Mongo") || codeOf(error) === duplicateKey) return error;
    const isFull = codeOf(error) === outOfDiskSpace;
    // The driver's own message may hold the address with its credentials.
    const text = `GridFS in ${this.#options.name} ${isFull ? "is full" : `cannot be used (${error.name})`}.`;
    return new BlobsUnavailable(isFull ? "full" : "network", text, { cause: error });
  }
}

/** Chunks of uploads and deletions whose process died. Younger ones may belong to an upload that runs. */
async function removeLeftovers({ files, chunks, idBefore }: Place): Promise<void> {
  const old = idBefore(Date.now() / 1000 - defaults.blobOrphanMs / 1000);
  let batch: ObjectId[] = [];
  const look = async () => {
    const known = await files.find({ _id: { $in: batch } }, { projection: { _id: 1 } }).toArray();
    const ids = new Set(known.map(({ _id }) => _id.toHexString()));
    const orphans = batch.filter((id) => !ids.has(id.toHexString()));
    if (orphans.length > 0) await chunks.deleteMany({ files_id: { $in: orphans } });
    batch = [];
  };
  for await (const { files_id: id } of chunks.find({ files_id: { $lt: old }, n: 0 }, { projection: { files_id: 1 } })) {
    batch.push(id);
    if (batch.length >= leftoversPerLook) await look();
  }
  if (batch.length > 0) await look();
}

async function connect({ uri, database }: GridfsOptions): Promise<Place> {
  const { GridFSBucket: Bucket, MongoClient: Client, ObjectId: Id } = await import("mongodb");
  const client = new Client(withoutFixed(uri), {
    appName: "outlast-blobs",
    ...unlessSaid(uri, { serverSelectionTimeoutMS: mongodbLimits.selectMsMax }),
    connectTimeoutMS: mongodbLimits.connectMsMax,
    socketTimeoutMS: mongodbLimits.socketMsMax,
    ...durableOptions,
  });
  try {
    return await prepare(client, client.db(database), (seconds) => Id.createFromTime(Math.floor(seconds)), Bucket);
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function prepare(
  client: MongoClient,
  db: Db,
  idBefore: Place["idBefore"],
  Bucket: typeof GridFSBucket,
): Promise<Place> {
  await client.connect();
  const place: Place = {
    client,
    bucket: new Bucket(db, { bucketName }),
    files: db.collection(`${bucketName}.files`),
    chunks: db.collection(`${bucketName}.chunks`),
    idBefore,
  };
  await place.files.createIndex({ filename: 1 }, { unique: true }, {});
  await place.chunks.createIndex({ files_id: 1, n: 1 }, { unique: true }, {});
  await removeLeftovers(place);
  return place;
}

/** Everything in a folder: `0` is the character behind the slash. */
function below(folder: string) {
  return { filename: { $gte: `${folder}/`, $lt: `${folder}0` } };
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

function called(begin: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    begin((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}
