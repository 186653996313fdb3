/**
 * A hash table of keys as bytes, in typed arrays: finds the number of a key, counting from 0 in the order in which keys came. A `Map` of
 * strings does the same at a third of the speed, and its memory cannot be bounded.
 */
import { finishHash, hashNumber } from "../../model/hash.ts";
import { hashBytes, seedOf } from "./keyHash.ts";

/** Per place in the table: hash, where the key begins, its length, its number + 1; 0 for a free place. */
const stride = 4;
const firstPlaces = 1024;
const firstArenaBytes = 64 * 1024;
/** Spreads hashes over the places differently than over partitions: all keys of a reduce share what makes its partition. */
const spread = 0x9e3779b1;

export class KeyTable {
  #index = new Int32Array(firstPlaces * stride);
  #mask = firstPlaces - 1;
  #shift = 32 - Math.log2(firstPlaces);
  #count = 0;
  #arena = Buffer.allocUnsafeSlow(firstArenaBytes);
  #arenaLength = 0;
  readonly #seed: number;

  constructor(seed = 0) {
    this.#seed = seedOf(seed);
  }

  /** How many different keys it holds. */
  get count(): number {
    return this.#count;
  }

  /** What it takes up in memory. */
  get bytes(): number {
    return this.#index.byteLength + this.#arenaLength;
  }

  /** The bytes of all keys; see `keyStart`. Another buffer after a key is added. */
  get arena(): Buffer {
    return this.#arena;
  }

  /** The number of a key; its UTF-8 is added if it is new: then its number is what `count` was. */
  addText(key: string): number {
    const { length } = key;
    this.#reserve(length * 3);
    const arena = this.#arena;
    const start = this.#arenaLength;
    let hash = this.#seed;
    for (let index = 0; index < length; index += 1) {
      const code = key.charCodeAt(index);
      if (code > 0x7f) {
        const bytes = arena.write(key, start, "utf8");
        return this.#find(hashBytes(this.#seed, arena, start, start + bytes), arena, start, bytes);
      }
      arena[start + index] = code;
      hash = hashNumber(hash, code);
    }
    return this.#find(finishHash(hash) | 0, arena, start, length);
  }

  /** The same for the bytes from `start` to before `end`. */
  addBytes(source: Uint8Array, start: number, end: number): number {
    return this.#find(hashBytes(this.#seed, source, start, end), source, start, end - start);
  }

  clear(): void {
    this.#index.fill(0);
    this.#count = 0;
    this.#arenaLength = 0;
  }

  /** Every place that holds a key, in no order that means anything; valid until a key is added. */
  places(): Int32Array {
    const places = new Int32Array(this.#count);
    const index = this.#index;
    for (let at = 0, next = 0; at < index.length; at += stride) if (index[at + 3] !== 0) places[next++] = at;
    return places;
  }

  hashAt(place: number): number {
    return this.#index[place] ?? 0;
  }

  keyStart(place: number): number {
    return this.#index[place + 1] ?? 0;
  }

  keyLength(place: number): number {
    return this.#index[place + 2] ?? 0;
  }

  numberAt(place: number): number {
    return (this.#index[place + 3] ?? 0) - 1;
  }

  keyTextAt(place: number): string {
    const start = this.keyStart(place);
    return this.#arena.toString("utf8", start, start + this.keyLength(place));
  }

  /** The same places by the bytes of their keys, which for UTF-8 is the order of code points. */
  sorted(places: Int32Array): Int32Array {
    const arena = this.#arena;
    const index = this.#index;
    // Most comparisons are decided by the first six bytes, which a number holds exactly.
    const prefixes = new Float64Array(this.#count);
    for (const place of places) {
      const start = index[place + 1] ?? 0;
      const length = index[place + 2] ?? 0;
      let prefix = 0;
      for (let byte = 0; byte < 6; byte += 1) prefix = prefix * 256 + (byte < length ? (arena[start + byte] ?? 0) : 0);
      prefixes[(index[place + 3] ?? 1) - 1] = prefix;
    }
    return places.sort((one, other) => {
      const difference = (prefixes[(index[one + 3] ?? 1) - 1] ?? 0) - (prefixes[(index[other + 3] ?? 1) - 1] ?? 0);
      if (difference !== 0) return difference;
      const oneStart = index[one + 1] ?? 0;
      const otherStart = index[other + 1] ?? 0;
      return arena.compare(
        arena,
        otherStart,
        otherStart + (index[other + 2] ?? 0),
        oneStart,
        oneStart + (index[one + 2] ?? 0),
      );
    });
  }

  #find(hash: number, source: Uint8Array, start: number, length: number): number {
    const index = this.#index;
    const arena = this.#arena;
    const mask = this.#mask;
    let place = Math.imul(hash, spread) >>> this.#shift;
    for (;;) {
      const at = place * stride;
      const number = index[at + 3] ?? 0;
      if (number === 0) return this.#add(at, hash, source, start, length);
      if (index[at] === hash && index[at + 2] === length) {
        const held = index[at + 1] ?? 0;
        let same = 0;
        while (same < length && arena[held + same] === source[start + same]) same += 1;
        if (same === length) return number - 1;
      }
      place = (place + 1) & mask;
    }
  }

  #add(at: number, hash: number, source: Uint8Array, start: number, length: number): number {
    this.#reserve(length);
    const arena = this.#arena;
    const held = this.#arenaLength;
    // A text was written there already.
    if (source !== arena || start !== held) {
      for (let byte = 0; byte < length; byte += 1) arena[held + byte] = source[start + byte] ?? 0;
    }
    this.#arenaLength = held + length;
    this.#put(this.#index, at, hash, held, length, this.#count + 1);
    this.#count += 1;
    if (this.#count * 2 > this.#mask) this.#grow();
    return this.#count - 1;
  }

  #put(index: Int32Array, at: number, hash: number, start: number, length: number, number: number): void {
    index[at] = hash;
    index[at + 1] = start;
    index[at + 2] = length;
    index[at + 3] = number;
  }

  #grow(): void {
    const old = this.#index;
    const places = (this.#mask + 1) * 2;
    const index = new Int32Array(places * stride);
    this.#mask = places - 1;
    this.#shift -= 1;
    for (let from = 0; from < old.length; from += stride) {
      const number = old[from + 3] ?? 0;
      if (number === 0) continue;
      const hash = old[from] ?? 0;
      let place = Math.imul(hash, spread) >>> this.#shift;
      while (index[place * stride + 3] !== 0) place = (place + 1) & this.#mask;
      this.#put(index, place * stride, hash, old[from + 1] ?? 0, old[from + 2] ?? 0, number);
    }
    this.#index = index;
  }

  #reserve(count: number): void {
    const needed = this.#arenaLength + count;
    if (needed <= this.#arena.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#arena.length * 2));
    this.#arena.copy(larger, 0, 0, this.#arenaLength);
    this.#arena = larger;
  }
}
