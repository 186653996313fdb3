/** Merges sorted runs into one sequence of records, by the bytes of their keys, reading a block of each at a time. */
import { ByteReader } from "./byteReader.ts";
import type { Scratch } from "./scratch.ts";
import { blocksOfLocal, type Extent, SegmentWriter } from "./segment.ts";
import { readValue, skipValue } from "./valueCodec.ts";

/** So many runs are merged at once; more are merged in several passes. */
const fanInMax = 64;

/** The record that a run has come to. */
export class RunCursor {
  readonly #blocks: Iterator<Buffer, void, undefined>;
  readonly #reader = new ByteReader();
  #keyStart = 0;
  #keyLength = 0;
  #valuesLeft = 0;

  constructor(run: Extent, scratch: Scratch) {
    this.#blocks = blocksOfLocal(run, (offset, length) => scratch.read(offset, length));
  }

  get block(): Buffer {
    return this.#reader.buffer;
  }

  get keyStart(): number {
    return this.#keyStart;
  }

  get keyEnd(): number {
    return this.#keyStart + this.#keyLength;
  }

  get valuesLeft(): number {
    return this.#valuesLeft;
  }

  /** Goes to the next record. The values of this one must have been read. @returns false at the end */
  next(): boolean {
    if (this.#reader.isAtEnd) {
      const { done, value } = this.#blocks.next();
      if (done === true) return false;
      this.#reader.reset(value);
    }
    this.#keyLength = this.#reader.varint();
    this.#keyStart = this.#reader.skip(this.#keyLength);
    this.#valuesLeft = this.#reader.varint();
    return true;
  }

  value(): unknown {
    this.#valuesLeft -= 1;
    return readValue(this.#reader);
  }

  /** Writes the record as it is, and passes over its values. */
  copyTo(writer: SegmentWriter): void {
    const { block } = writer;
    block.varint(this.#keyLength);
    block.append(this.block, this.#keyStart, this.keyEnd);
    block.varint(this.#valuesLeft);
    const from = this.#reader.position;
    for (; this.#valuesLeft > 0; this.#valuesLeft -= 1) skipValue(this.#reader);
    block.append(this.block, from, this.#reader.position);
    writer.endRecord();
  }
}

/** The run with the smallest key first: a binary heap. */
export class RunHeap {
  readonly #heap: RunCursor[] = [];

  constructor(runs: readonly Extent[], scratch: Scratch) {
    for (const run of runs) {
      const cursor = new RunCursor(run, scratch);
      if (cursor.next()) this.#heap.push(cursor);
    }
    for (let at = this.#heap.length >>> 1; at >= 0; at -= 1) this.#sink(at);
  }

  get first(): RunCursor | undefined {
    return this.#heap[0];
  }

  /** Takes the first run to its next record. */
  advance(): void {
    const [first] = this.#heap;
    if (first === undefined) return;
    if (!first.next()) {
      const last = this.#heap.pop();
      if (last === undefined || this.#heap.length === 0) return;
      this.#heap[0] = last;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      if (least === at) return;
      const one = heap[at];
      const other = heap[least];
      if (one === undefined || other === undefined) return;
      heap[at] = other;
      heap[least] = one;
      at = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const left = this.#heap[one];
    const right = this.#heap[other];
    if (left === undefined || right === undefined) return false;
    return left.block.compare(right.block, right.keyStart, right.keyEnd, left.keyStart, left.keyEnd) < 0;
  }
}

/** Merges runs until few enough are left to be merged at once. */
export function mergedToFew(runs: readonly Extent[], scratch: Scratch): readonly Extent[] {
  let left = [...runs];
  while (left.length > fanInMax) {
    const merged = mergedRun(left.slice(0, fanInMax), scratch);
    left = [...left.slice(fanInMax), merged];
  }
  return left;
}

function mergedRun(runs: readonly Extent[], scratch: Scratch): Extent {
  const offset = scratch.length;
  const writer = new SegmentWriter((bytes) => scratch.append(bytes), "none");
  writer.begin();
  const heap = new RunHeap(runs, scratch);
  for (let first = heap.first; first !== undefined; first = heap.first) {
    first.copyTo(writer);
    heap.advance();
  }
  return { offset, ...writer.end() };
}
