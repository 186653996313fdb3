/** The files of a fake master: kept in memory, as a master keeps them. */

import { createHash } from "node:crypto";
import type { BlobApi, KeptBlob } from "../../master/service/blobApi.ts";
import { OutlastError } from "../../model/errors.ts";
import type { ByteRange, ListedObject, ObjectContent, StoredObject } from "../../ports/blobs.ts";

export class FakeBlobApi implements BlobApi {
  isShared = false;
  readonly contents = new Map<string, Uint8Array>();
  readonly objects = new Map<string, Uint8Array>();

  async put(content: AsyncIterable<Uint8Array>): Promise<KeptBlob> {
    const bytes = await whole(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const isNew = !this.contents.has(sha256);
    this.contents.set(sha256, bytes);
    return { size: bytes.length, sha256, isNew };
  }

  async stat(sha256: string): Promise<{ readonly size: number }> {
    return { size: found(this.contents, sha256).length };
  }

  async read(sha256: string, range?: ByteRange): Promise<ObjectContent> {
    return part(found(this.contents, sha256), range);
  }

  async release(sha256: string): Promise<void> {
    found(this.contents, sha256);
    this.contents.delete(sha256);
  }

  async putObject(name: string, content: AsyncIterable<Uint8Array>): Promise<StoredObject> {
    const bytes = await whole(content);
    if (this.objects.has(name)) throw new OutlastError("conflict", `There is an object ${name}.`);
    this.objects.set(name, bytes);
    return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }

  async statObject(name: string): Promise<{ readonly size: number }> {
    return { size: found(this.objects, name).length };
  }

  async readObject(name: string, range?: ByteRange): Promise<ObjectContent> {
    return part(found(this.objects, name), range);
  }

  async deleteObject(name: string): Promise<void> {
    this.objects.delete(name);
  }

  async deleteObjects(folder: string): Promise<void> {
    for (const name of [...this.objects.keys()]) if (name.startsWith(`${folder}/`)) this.objects.delete(name);
  }

  async *listObjects(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    for (const [name, { length: size }] of this.objects) if (name.startsWith(`${folder}/`)) yield { name, size };
  }
}

function found(map: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = map.get(name);
  if (bytes === undefined) throw new OutlastError("not-found", `There is no ${name}.`);
  return bytes;
}

async function whole(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

function part(bytes: Uint8Array, range: ByteRange = { from: 0, until: bytes.length }): ObjectContent {
  const content = async function* () {
    yield bytes.subarray(range.from, range.until);
  };
  return { size: bytes.length, content: content() };
}
