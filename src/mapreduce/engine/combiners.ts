/** Combiners: how the values of one key become one, built in or the user's own. */
import type { ByteReader } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";
import { ListColumn } from "./listColumn.ts";
import { ownCopy, sizeOf } from "./ownCopy.ts";
import { checkedPart, readNumber, readValue, writeValue } from "./valueCodec.ts";
import type { KeyState, ValueColumn } from "./valueColumn.ts";

/** How values of one key become fewer. Must be associative and commutative, and may run any number of times. */
export type Combine =
  | "sum"
  | "count"
  | "max"
  | "min"
  | { readonly topK: number; by(value: never): number }
  | ((one: never, other: never) => unknown);

export function columnFor(combine: Combine | null): ValueColumn {
  switch (combine) {
    case null:
      return new ListColumn();
    case "sum":
      return new NumberColumn(add);
    case "count":
      return new NumberColumn(add, () => 1);
    case "max":
      return new NumberColumn(Math.max);
    case "min":
      return new NumberColumn(Math.min);
    default:
      return typeof combine === "function"
        ? new ObjectColumn(ownCopy, combine as (one: unknown, other: unknown) => unknown)
        : topColumn(combine.topK, (value) => combine.by(value as never));
  }
}

function add(one: number, other: number): number {
  return one + other;
}

/** A value given to a numeric combiner is not a number. */
export class NotANumber extends Error {}

/** One value per key. */
abstract class CombiningColumn {
  readonly isCombining = true;

  count(): number {
    return 1;
  }

  parts(): never {
    throw new Error("a combined value is not divided");
  }
}

const firstNumbers = 1024;

class NumberColumn extends CombiningColumn implements ValueColumn {
  readonly growsWithValues = false;
  #values = new Float64Array(firstNumbers);
  readonly #merge: (one: number, other: number) => number;
  readonly #lift: ((value: unknown) => number) | null;

  constructor(merge: (one: number, other: number) => number, lift: ((value: unknown) => number) | null = null) {
    super();
    this.#merge = merge;
    this.#lift = lift;
  }

  get bytes(): number {
    return this.#values.byteLength;
  }

  measure(): void {}

  fit(value: unknown): number {
    if (this.#lift !== null) return this.#lift(value);
    if (typeof value !== "number") throw new NotANumber(`The combiner needs numbers, and got ${String(value)}.`);
    return value;
  }

  add(key: number, state: KeyState, value: unknown): void {
    this.#put(key, state, value as number);
  }

  write(writer: ByteWriter, key: number): void {
    writer.varint(1);
    writeValue(writer, this.#values[key] ?? 0);
  }

  fold(key: number, state: KeyState, reader: ByteReader): void {
    let count = reader.varint();
    for (let now = state; count > 0; count -= 1, now = "known") this.#put(key, now, readNumber(reader));
  }

  values(key: number): Iterable<number> {
    return [this.#values[key] ?? 0];
  }

  merge(one: unknown, other: unknown): number {
    return this.#merge(one as number, other as number);
  }

  /** Small again, as its table of keys is. */
  clear(): void {
    this.#values = new Float64Array(firstNumbers);
  }

  #put(key: number, state: KeyState, value: number): void {
    if (state === "known") {
      const before = this.#values[key] ?? 0;
      // Said outright for the most frequent one, since the engine does not inline a function that it finds in a field.
      this.#values[key] = this.#merge === add ? before + value : this.#merge(before, value);
      return;
    }
    if (key >= this.#values.length) {
      const larger = new Float64Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[key] = value;
  }
}

/** What an object and its place take up, roughly. */
const objectBytes = 96;

class ObjectColumn extends CombiningColumn implements ValueColumn {
  readonly growsWithValues = true;
  #values: unknown[] = [];
  /** Of all values that came since it was measured, and of those that were there: values that are combined take up less, or as much. */
  #valueBytes = 0;
  readonly #lift: (value: unknown) => unknown;
  readonly #merge: (one: unknown, other: unknown) => unknown;

  constructor(lift: (value: unknown) => unknown, merge: (one: unknown, other: unknown) => unknown) {
    super();
    this.#lift = lift;
    this.#merge = merge;
  }

  get bytes(): number {
    return this.#values.length * objectBytes + this.#valueBytes;
  }

  measure(): void {
    this.#valueBytes = this.#values.reduce((sum: number, value) => sum + sizeOf(value), 0);
  }

  fit(value: unknown): unknown {
    return this.#lift(value);
  }

  add(key: number, state: KeyState, value: unknown): void {
    this.#put(key, state, value);
  }

  write(writer: ByteWriter, key: number): void {
    writer.varint(1);
    writeValue(writer, this.#values[key]);
  }

  fold(key: number, state: KeyState, reader: ByteReader): void {
    let count = reader.varint();
    for (let now = state; count > 0; count -= 1, now = "known") this.#put(key, now, readValue(reader));
  }

  values(key: number): Iterable<unknown> {
    return [this.#values[key]];
  }

  merge(one: unknown, other: unknown): unknown {
    return this.#merge(one, other);
  }

  clear(): void {
    this.#values = [];
    this.#valueBytes = 0;
  }

  #put(key: number, state: KeyState, value: unknown): void {
    this.#valueBytes += sizeOf(value);
    this.#values[key] = state === "new" ? value : this.#merge(this.#values[key], value);
  }
}

/** Keeps the `count` values with the highest `by`; of equal ones those whose JSON is smaller, so that every run keeps the same. */
function topColumn(count: number, by: (value: unknown) => number): ValueColumn {
  const merge = (one: unknown, other: unknown) => {
    const all = [...(one as unknown[]), ...(other as unknown[])];
    all.sort((left, right) => by(right) - by(left) || (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
    return all.slice(0, count);
  };
  return new ObjectColumn((value) => [ownCopy(checkedPart(value))], merge);
}
