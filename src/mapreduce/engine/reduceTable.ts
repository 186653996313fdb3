/**
 * Gathers the segments of one partition and gives its keys in the order of their bytes, each with its values. What does not fit into memory
 * goes to a scratch file as sorted runs.
 */
import { limits } from "../../model/limits.ts";
import { ByteReader } from "./byteReader.ts";
import type { KeyTable } from "./keyTable.ts";
import { mergedToFew, type RunCursor, RunHeap } from "./runMerge.ts";
import type { Scratch } from "./scratch.ts";
import { type Extent, eachRecord, SegmentWriter } from "./segment.ts";
import { clearTable, isTooLarge } from "./tableSize.ts";
import type { ValueColumn } from "./valueColumn.ts";

export interface ReduceTableOptions {
  /** May hold keys of an earlier task, which are forgotten. */
  readonly table: KeyTable;
  readonly column: ValueColumn;
  /** A run goes to the scratch file once the table takes up this much. */
  readonly memoryBytes: number;
  /** Called when it is needed first. */
  openScratch(): Scratch;
}

/** One key and its values. Valid until the next group is asked for. */
export interface Group {
  readonly keys: Buffer;
  readonly keyStart: number;
  readonly keyLength: number;
  /** May be read once; need not be read to the end. */
  readonly values: Iterable<unknown>;
}

/** How unevenly values are spread over keys, where they are not combined. */
export interface KeyLoad {
  /** Of all keys. */
  readonly values: number;
  /** The key with the most values, or its beginning. */
  readonly maxKey: string;
  readonly maxKeyValues: number;
}

export class ReduceTable {
  readonly #options: ReduceTableOptions;
  readonly #table: KeyTable;
  readonly #reader = new ByteReader();
  readonly #runs: Extent[] = [];
  #scratch: Scratch | null = null;
  #peakBytes = 0;
  #load: KeyLoad = { values: 0, maxKey: "", maxKeyValues: 0 };

  constructor(options: ReduceTableOptions) {
    this.#options = options;
    this.#table = options.table;
    clearTable(this.#table, options.memoryBytes);
  }

  /** How many runs went to the scratch file. */
  get runs(): number {
    return this.#runs.length;
  }

  /** The most that the table took up. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Of the groups that were given so far; null where values are combined. */
  get load(): KeyLoad | null {
    return this.#options.column.isCombining ? null : this.#load;
  }

  /** Adds the records of a block. @throws DamagedSegment */
  fold(block: Buffer): void {
    const table = this.#table;
    const { column, memoryBytes } = this.#options;
    eachRecord(block, this.#reader, (start, end, reader) => {
      const known = table.count;
      const number = table.addBytes(block, start, end);
      column.fold(number, number === known ? "new" : "known", reader);
    });
    const isFull = isTooLarge(table, column, memoryBytes);
    this.#peakBytes = Math.max(this.#peakBytes, table.bytes + column.bytes);
    if (isFull) this.#spill();
  }

  /** Call it once, after all blocks. */
  *groups(): Generator<Group, void, undefined> {
    if (this.#scratch === null) return yield* this.#groupsInMemory();
    if (this.#table.count > 0) this.#spill();
    yield* this.#mergedGroups(this.#scratch);
  }

  *#groupsInMemory(): Generator<Group, void, undefined> {
    const table = this.#table;
    for (const number of table.sorted()) {
      const { column } = this.#options;
      const [keyStart, keyLength] = [table.keyStart(number), table.keyLength(number)];
      if (!column.isCombining) this.#weigh(table.arena, keyStart, keyLength, column.count(number));
      yield { keys: table.arena, keyStart, keyLength, values: column.values(number) };
    }
  }

  *#mergedGroups(scratch: Scratch): Generator<Group, void, undefined> {
    const { column } = this.#options;
    const heap = new RunHeap(mergedToFew(this.#runs, scratch), scratch);
    for (let first = heap.first; first !== undefined; first = heap.first) {
      const keys = Buffer.from(first.block.subarray(first.keyStart, first.keyEnd));
      let count = 0;
      const values = valuesOf(keys, heap, () => void (count += 1));
      const group = { keys, keyStart: 0, keyLength: keys.length };
      if (!column.isCombining) {
        yield { ...group, values };
        // A reader that stopped has closed its generator; another one passes over the rest.
        const rest = valuesOf(keys, heap, () => void (count += 1));
        while (rest.next().done !== true);
        this.#weigh(keys, 0, keys.length, count);
        continue;
      }
      let merged = values.next().value;
      for (const value of values) merged = column.merge(merged, value);
      yield { ...group, values: [merged] };
    }
  }

  #weigh(keys: Buffer, start: number, length: number, count: number): void {
    const values = this.#load.values + count;
    if (count <= this.#load.maxKeyValues) this.#load = { ...this.#load, values };
    else {
      const end = start + Math.min(length, limits.jobRecordShownBytesMax);
      this.#load = { values, maxKey: keys.toString("utf8", start, end), maxKeyValues: count };
    }
  }

  #spill(): void {
    const table = this.#table;
    this.#scratch ??= this.#options.openScratch();
    const scratch = this.#scratch;
    const { column } = this.#options;
    const offset = scratch.length;
    const writer = new SegmentWriter((bytes) => scratch.append(bytes), "none");
    writer.begin();
    for (const number of table.sorted()) {
      writer.key(table.arena, table.keyStart(number), table.keyLength(number), column, number);
    }
    this.#runs.push({ offset, ...writer.end() });
    clearTable(table, this.#options.memoryBytes);
    column.clear();
  }
}

/** The values of all records with this key, from whatever run. */
function* valuesOf(key: Buffer, heap: RunHeap, onValue: () => void): Generator<unknown, void, undefined> {
  for (let first = heap.first; first !== undefined && hasKey(first, key); first = heap.first) {
    while (first.valuesLeft > 0) {
      onValue();
      yield first.value();
    }
    heap.advance();
  }
}

function hasKey({ block, keyStart, keyEnd }: RunCursor, key: Buffer): boolean {
  return key.compare(block, keyStart, keyEnd) === 0;
}
