/**
 * A hash table of keys as bytes, in typed arrays: finds the number of a key, counting from 0 in the order in which keys came. A `Map` of
 * strings does the same at a third of the speed, and its memory cannot be bounded.
 */
import { finishHash, hashNumber } from "../../model/hash.ts";
import { hashBytes, seedOf } from "./keyHash.ts";

const firstPlaces = 1024;
const firstArenaBytes = 64 * 1024;
/** Spreads hashes over the places differently than over partitions: all keys of a reduce share what makes its partition. */
const spread = 0x9e3779b1;
/** A place holds the number of its key + 1, and above it the highest bits of the key's hash: most keys that differ are told apart by these. */
const numberBits = 0x00ffffff;
const tagBits = ~numberBits;

export class KeyTable {
  /** By place, 0 for a free one. Four bytes each, so that much of it stays in the processor's cache. */
  #index = new Int32Array(firstPlaces);
  #mask = firstPlaces - 1;
  #shift = 32 - Math.log2(firstPlaces);
  #count = 0;
  /** By number, so that frequent keys, which come early, stand side by side: the hash of the key, and where it begins in the arena. */
  #hashes = new Int32Array(firstPlaces / 2 + 1);
  #starts = new Int32Array(firstPlaces / 2 + 2);
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
    return this.#index.byteLength + this.#hashes.byteLength + this.#starts.byteLength + this.#arenaLength;
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

  /** It is small again: a table that kept its size could be full from the first key on, and be written out with each. */
  clear(): void {
    this.#index = new Int32Array(firstPlaces);
    this.#mask = firstPlaces - 1;
    this.#shift = 32 - Math.log2(firstPlaces);
    this.#hashes = new Int32Array(firstPlaces / 2 + 1);
    this.#starts = new Int32Array(firstPlaces / 2 + 2);
    this.#count = 0;
    this.#arenaLength = 0;
  }

  hashOf(number: number): number {
    return this.#hashes[number] ?? 0;
  }

  keyStart(number: number): number {
    return this.#starts[number] ?? 0;
  }

  keyLength(number: number): number {
    return (this.#starts[number + 1] ?? 0) - (this.#starts[number] ?? 0);
  }

  keyText(number: number): string {
    return this.#arena.toString("utf8", this.#starts[number], this.#starts[number + 1]);
  }

  /** The numbers of all keys by the bytes of the keys, which for UTF-8 is the order of code points. */
  sorted(): Int32Array {
    const arena = this.#arena;
    const starts = this.#starts;
    const numbers = new Int32Array(this.#count);
    // Most comparisons are decided by the first six bytes, which a number holds exactly.
    const prefixes = new Float64Array(this.#count);
    for (let number = 0; number < this.#count; number += 1) {
      const start = starts[number] ?? 0;
      const length = (starts[number + 1] ?? 0) - start;
      let prefix = 0;
      for (let byte = 0; byte < 6; byte += 1) prefix = prefix * 256 + (byte < length ? (arena[start + byte] ?? 0) : 0);
      prefixes[number] = prefix;
      numbers[number] = number;
    }
    return numbers.sort((one, other) => {
      const difference = (prefixes[one] ?? 0) - (prefixes[other] ?? 0);
      if (difference !== 0) return difference;
      return arena.compare(arena, starts[other], starts[other + 1], starts[one], starts[one + 1]);
    });
  }

  #find(hash: number, source: Uint8Array, start: number, length: number): number {
    const index = this.#index;
    const starts = this.#starts;
    const mask = this.#mask;
    for (let place = Math.imul(hash, spread) >>> this.#shift; ; place = (place + 1) & mask) {
      const taken = index[place] ?? 0;
      if (taken === 0) return this.#add(place, hash, source, start, length);
      if (((taken ^ hash) & tagBits) !== 0) continue;
      const number = (taken & numberBits) - 1;
      const held = starts[number] ?? 0;
      if ((starts[number + 1] ?? 0) - held !== length) continue;
      const arena = this.#arena;
      let same = 0;
      while (same < length && arena[held + same] === source[start + same]) same += 1;
      if (same === length) return number;
    }
  }

  #add(place: number, hash: number, source: Uint8Array, start: number, length: number): number {
    this.#reserve(length);
    const arena = this.#arena;
    const held = this.#arenaLength;
    // A text was written there already.
    if (source !== arena || start !== held) {
      for (let byte = 0; byte < length; byte += 1) arena[held + byte] = source[start + byte] ?? 0;
    }
    const number = this.#count;
    this.#arenaLength = held + length;
    if (number >= numberBits) throw new Error("a table has more keys than it can number");
    this.#index[place] = (hash & tagBits) | (number + 1);
    this.#hashes[number] = hash;
    this.#starts[number + 1] = this.#arenaLength;
    this.#count += 1;
    if (this.#count * 2 > this.#mask) this.#grow();
    return number;
  }

  #grow(): void {
    const places = (this.#mask + 1) * 2;
    const hashes = new Int32Array(places / 2 + 1);
    const starts = new Int32Array(places / 2 + 2);
    hashes.set(this.#hashes);
    starts.set(this.#starts);
    const index = new Int32Array(places);
    this.#mask = places - 1;
    this.#shift -= 1;
    for (let number = 0; number < this.#count; number += 1) {
      const hash = hashes[number] ?? 0;
      let place = Math.imul(hash, spread) >>> this.#shift;
      while (index[place] !== 0) place = (place + 1) & this.#mask;
      index[place] = (hash & tagBits) | (number + 1);
    }
    this.#hashes = hashes;
    this.#starts = starts;
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
