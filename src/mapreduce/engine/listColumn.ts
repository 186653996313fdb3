/** All values of each key, for jobs without a combiner: chains of encoded values in one buffer. */
import { ByteReader } from "./byteReader.ts";
import { ByteWriter } from "./byteWriter.ts";
import { fitValue, type JsonText, readValue, skipValue, writeFit } from "./valueCodec.ts";
import type { KeyState, ValueColumn } from "./valueColumn.ts";

/** Per value: where it begins, where it ends, the number of the next one of its key + 1. */
const stride = 3;
const firstKeys = 1024;

export class ListColumn implements ValueColumn {
  readonly isCombining = false;
  readonly growsWithValues = true;
  readonly #encoded = new ByteWriter(64 * 1024);
  #nodes = new Int32Array(firstKeys * stride);
  #count = 0;
  #heads = new Int32Array(firstKeys);
  #tails = new Int32Array(firstKeys);
  #lengths = new Int32Array(firstKeys);

  get bytes(): number {
    return this.#encoded.length + this.#nodes.byteLength + this.#heads.byteLength * 3;
  }

  measure(): void {}

  fit(value: unknown): unknown {
    return fitValue(value);
  }

  add(key: number, state: KeyState, value: unknown): void {
    const start = this.#encoded.length;
    writeFit(this.#encoded, value as number | string | JsonText);
    this.#link(key, state, start);
  }

  write(writer: ByteWriter, key: number): void {
    writer.varint(this.#lengths[key] ?? 0);
    const bytes = this.#encoded.view();
    this.#walk(key, (start, end) => writer.append(bytes, start, end));
  }

  fold(key: number, state: KeyState, reader: ByteReader): void {
    let count = reader.varint();
    for (let now = state; count > 0; count -= 1, now = "known") {
      const from = skipValue(reader);
      const start = this.#encoded.length;
      this.#encoded.append(reader.buffer, from, reader.position);
      this.#link(key, now, start);
    }
  }

  *values(key: number): Iterable<unknown> {
    const bytes = this.#encoded.view();
    for (let node = this.#heads[key] ?? 0; node !== 0; node = this.#nodes[(node - 1) * stride + 2] ?? 0) {
      yield readValue(new ByteReader(bytes, this.#nodes[(node - 1) * stride] ?? 0));
    }
  }

  *parts(
    key: number,
    partBytes: number,
  ): Generator<{ readonly count: number; readonly bytes: Buffer }, void, undefined> {
    const part = new ByteWriter();
    const bytes = this.#encoded.view();
    let count = 0;
    for (let node = this.#heads[key] ?? 0; node !== 0; node = this.#nodes[(node - 1) * stride + 2] ?? 0) {
      const at = (node - 1) * stride;
      const start = this.#nodes[at] ?? 0;
      const end = this.#nodes[at + 1] ?? 0;
      if (count > 0 && part.length + end - start > partBytes) {
        yield { count, bytes: part.view() };
        part.clear();
        count = 0;
      }
      part.append(bytes, start, end);
      count += 1;
    }
    if (count > 0) yield { count, bytes: part.view() };
  }

  count(key: number): number {
    return this.#lengths[key] ?? 0;
  }

  merge(): never {
    throw new Error("values of a list are not merged");
  }

  /** Small again, as its table of keys is: else what it keeps for many keys would count as full from the first one on. */
  clear(): void {
    this.#encoded.clear();
    this.#nodes = new Int32Array(firstKeys * stride);
    this.#count = 0;
    this.#heads = new Int32Array(firstKeys);
    this.#tails = new Int32Array(firstKeys);
    this.#lengths = new Int32Array(firstKeys);
  }

  #walk(key: number, visit: (start: number, end: number) => void): void {
    for (let node = this.#heads[key] ?? 0; node !== 0; ) {
      const at = (node - 1) * stride;
      visit(this.#nodes[at] ?? 0, this.#nodes[at + 1] ?? 0);
      node = this.#nodes[at + 2] ?? 0;
    }
  }

  #link(key: number, state: KeyState, start: number): void {
    const at = this.#count * stride;
    if (at + stride > this.#nodes.length) this.#nodes = doubled(this.#nodes);
    this.#nodes[at] = start;
    this.#nodes[at + 1] = this.#encoded.length;
    this.#nodes[at + 2] = 0;
    this.#count += 1;
    if (key >= this.#heads.length) {
      this.#heads = doubled(this.#heads);
      this.#tails = doubled(this.#tails);
      this.#lengths = doubled(this.#lengths);
    }
    if (state === "new") {
      this.#heads[key] = this.#count;
      this.#lengths[key] = 0;
    } else {
      this.#nodes[((this.#tails[key] ?? 1) - 1) * stride + 2] = this.#count;
    }
    this.#tails[key] = this.#count;
    this.#lengths[key] = (this.#lengths[key] ?? 0) + 1;
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
