/** Objects in memory: for tests, the simulator, and masters whose store is in memory, too. */
import {
  type Blobs,
  type ByteRange,
  checkObjectName,
  type ListedObject,
  type ObjectContent,
  ObjectTaken,
  type StoredObject,
} from "../../ports/blobs.ts";
import { Measured } from "../measured.ts";
import { spanOf } from "../span.ts";

export class MemoryBlobs implements Blobs {
  readonly isShared = false;
  readonly #objects = new Map<string, Uint8Array>();

  async open(): Promise<string> {
    return "memory";
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    checkObjectName(name);
    const measured = new Measured(content, bytesMax);
    const pieces: Uint8Array[] = [];
    for await (const piece of measured) pieces.push(piece.slice());
    if (this.#objects.has(name)) throw new ObjectTaken(`There is an object ${name}.`);
    this.#objects.set(name, Buffer.concat(pieces));
    return measured.result();
  }

  async get(name: string, range?: ByteRange): Promise<ObjectContent | null> {
    checkObjectName(name);
    const bytes = this.#objects.get(name);
    if (bytes === undefined) return null;
    const { from, until } = spanOf(range, bytes.length);
    return { size: bytes.length, content: once(bytes.subarray(from, until)) };
  }

  async stat(name: string): Promise<{ readonly size: number } | null> {
    checkObjectName(name);
    const bytes = this.#objects.get(name);
    return bytes === undefined ? null : { size: bytes.length };
  }

  async delete(name: string): Promise<void> {
    checkObjectName(name);
    this.#objects.delete(name);
  }

  async deleteAll(folder: string): Promise<void> {
    for await (const { name } of this.list(folder)) this.#objects.delete(name);
  }

  async *list(folder: string): AsyncGenerator<ListedObject, void, undefined> {
    checkObjectName(folder);
    for (const [name, { length: size }] of [...this.#objects]) if (name.startsWith(`${folder}/`)) yield { name, size };
  }

  async close(): Promise<void> {}
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes;
}
