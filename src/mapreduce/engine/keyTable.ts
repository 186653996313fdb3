/**
 * A hash table of keys as bytes, in typed arrays: finds the number of a key, counting from 0 in the order in which keys came. A `Map` of
 * strings does the same at a third of the speed, and its memory cannot be bounded.
 *
 * Keys are found by a mark of their own, made of four bytes at a time, which takes a fraction of the time of the hash that their partition
 * follows from. Up to eight bytes, the length and the first and last four bytes are the key, so that nothing else is compared.
 */
import { hashBytes } from "./keyHash.ts";

const firstPlaces = 1024;
const firstArenaBytes = 64 * 1024;
/** A place holds the number of its key + 1, and above it some bits of the key's mark: most keys that differ are told apart by these. */
const numberBits = 0x00ffffff;
const tagBits = ~numberBits;
/** Of one key: its mark, its first and its last bytes, and its length. Side by side, so that one look at memory gets all of them. */
const factsPerKey = 4;

export class KeyTable {
  /** By place, 0 for a free one. Four bytes each, so that much of it stays in the processor's cache. */
  #index = new Int32Array(firstPlaces);
  #mask = firstPlaces - 1;
  #shift = 32 - Math.log2(firstPlaces);
  #count = 0;
  /** By number, so that frequent keys, which come early, stand side by side. */
  #facts = new Int32Array((firstPlaces / 2 + 1) * factsPerKey);
  /** By number: the hash that the partition follows from, and where the key begins in the arena. */
  #hashes = new Int32Array(firstPlaces / 2 + 1);
  #starts = new Int32Array(firstPlaces / 2 + 2);
  #arena = Buffer.allocUnsafeSlow(firstArenaBytes);
  #arenaLength = 0;

  /** How many different keys it holds. */
  get count(): number {
    return this.#count;
  }

  /** What it takes up in memory. */
  get bytes(): number {
    const { byteLength } = this.#index;
    return byteLength + this.#facts.byteLength + this.#hashes.byteLength + this.#starts.byteLength + this.#arenaLength;
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
    for (let index = 0; index < length; index += 1) {
      const code = key.charCodeAt(index);
      if (code > 0x7f) return this.addBytes(arena, start, start + arena.write(key, start, "utf8"));
      arena[start + index] = code;
    }
    return this.addBytes(arena, start, start + length);
  }

  /** The same for the bytes from `start` to before `end`. */
  addBytes(source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    let first = 0;
    let last = 0;
    if (length >= 4) {
      first = fourBytes(source, start);
      last = fourBytes(source, end - 4);
    } else if (length > 0) {
      first = (source[start] ?? 0) | ((source[start + (length >> 1)] ?? 0) << 8) | ((source[end - 1] ?? 0) << 16);
    }
    const mark = markOf(first, last, source, start, end);
    const index = this.#index;
    const facts = this.#facts;
    const mask = this.#mask;
    for (let place = mark >>> this.#shift; ; place = (place + 1) & mask) {
      const taken = index[place] ?? 0;
      if (taken === 0) return this.#add(place, mark, first, last, source, start, length);
      if (((taken ^ (mark << 24)) & tagBits) !== 0) continue;
      const at = ((taken & numberBits) - 1) * factsPerKey;
      if (facts[at] !== mark || facts[at + 1] !== first || facts[at + 2] !== last || facts[at + 3] !== length) continue;
      const number = (taken & numberBits) - 1;
      if (length <= 8 || isSame(this.#arena, (this.#starts[number] ?? 0) + 4, source, start + 4, length - 8))
        return number;
    }
  }

  /**
   * Forgets all keys. A table that takes up no more than `keptBytes` keeps its size, since growing again takes time. A larger one is small
   * again: it could be full from the first key on, and be written out with each.
   */
  clear(keptBytes: number): void {
    const isEmpty = this.#count === 0;
    this.#count = 0;
    this.#arenaLength = 0;
    if (this.bytes + this.#arena.length <= keptBytes) {
      if (!isEmpty) this.#index.fill(0);
      return;
    }
    this.#arena = Buffer.allocUnsafeSlow(firstArenaBytes);
    this.#index = new Int32Array(firstPlaces);
    this.#mask = firstPlaces - 1;
    this.#shift = 32 - Math.log2(firstPlaces);
    this.#facts = new Int32Array((firstPlaces / 2 + 1) * factsPerKey);
    this.#hashes = new Int32Array(firstPlaces / 2 + 1);
    this.#starts = new Int32Array(firstPlaces / 2 + 2);
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

  #add(
    place: number,
    mark: number,
    first: number,
    last: number,
    source: Uint8Array,
    start: number,
    length: number,
  ): number {
    this.#reserve(length);
    const arena = this.#arena;
    const held = this.#arenaLength;
    // A text was written there already, and is written there once more.
    for (let byte = 0; byte < length; byte += 1) arena[held + byte] = source[start + byte] ?? 0;
    const number = this.#count;
    this.#arenaLength = held + length;
    if (number >= numberBits) throw new Error("a table has more keys than it can number");
    this.#index[place] = (mark << 24) | (number + 1);
    const facts = this.#facts;
    const at = number * factsPerKey;
    facts[at] = mark;
    facts[at + 1] = first;
    facts[at + 2] = last;
    facts[at + 3] = length;
    this.#hashes[number] = hashBytes(arena, held, held + length);
    this.#starts[number + 1] = this.#arenaLength;
    this.#count += 1;
    if (this.#count * 2 > this.#mask) this.#grow();
    return number;
  }

  #grow(): void {
    const places = (this.#mask + 1) * 2;
    const facts = new Int32Array((places / 2 + 1) * factsPerKey);
    const hashes = new Int32Array(places / 2 + 1);
    const starts = new Int32Array(places / 2 + 2);
    facts.set(this.#facts);
    hashes.set(this.#hashes);
    starts.set(this.#starts);
    const index = new Int32Array(places);
    const mask = places - 1;
    this.#mask = mask;
    this.#shift -= 1;
    for (let number = 0; number < this.#count; number += 1) {
      const mark = facts[number * factsPerKey] ?? 0;
      let place = mark >>> this.#shift;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = (mark << 24) | (number + 1);
    }
    this.#facts = facts;
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

/** 32 bits that look random and depend on every byte of the key; `first` and `last` hold its first and last ones. */
function markOf(first: number, last: number, source: Uint8Array, start: number, end: number): number {
  let mark = Math.imul(first ^ (end - start), 0x9e3779b1);
  mark = Math.imul(mark ^ (mark >>> 15) ^ last, 0x85ebca6b);
  for (let at = start + 4; at < end - 4; at += 4) {
    mark = Math.imul(mark ^ (mark >>> 13) ^ fourBytes(source, at), 0xc2b2ae35);
  }
  mark = Math.imul(mark ^ (mark >>> 15), 0xc2b2ae35);
  return mark ^ (mark >>> 13);
}

function fourBytes(source: Uint8Array, at: number): number {
  return (
    (source[at] ?? 0) | ((source[at + 1] ?? 0) << 8) | ((source[at + 2] ?? 0) << 16) | ((source[at + 3] ?? 0) << 24)
  );
}

function isSame(one: Uint8Array, oneStart: number, other: Uint8Array, otherStart: number, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (one[oneStart + index] !== other[otherStart + index]) return false;
  return true;
}
