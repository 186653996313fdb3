/** Counts and hashes content on its way into a place, and ends it where it becomes too long. */
import { createHash } from "node:crypto";
import { ObjectTooLarge, type StoredObject } from "../ports/blobs.ts";

export class Measured implements AsyncIterable<Uint8Array> {
  readonly #content: AsyncIterable<Uint8Array>;
  readonly #bytesMax: number;
  readonly #hash = createHash("sha256");
  #size = 0;

  constructor(content: AsyncIterable<Uint8Array>, bytesMax: number) {
    this.#content = content;
    this.#bytesMax = bytesMax;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of this.#content) {
      this.#size += piece.length;
      if (this.#size > this.#bytesMax) throw new ObjectTooLarge(this.#bytesMax);
      this.#hash.update(piece);
      yield piece;
    }
  }

  /** What has gone through. Call it once, after the end. */
  result(): StoredObject {
    return { size: this.#size, sha256: this.#hash.digest("hex") };
  }
}
