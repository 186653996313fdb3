/** What keeps the values of the keys of a table, by the number of the key. */
import type { ByteReader } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";

/** The key has no value yet, or it has some. */
export type KeyState = "new" | "known";

export interface ValueColumn {
  /** What it takes up in memory; where values are objects, what it takes up at most. */
  readonly bytes: number;
  /** Looks at all values, so that `bytes` is an estimate of what there is, and no longer of what there may be. */
  measure(): void;
  /** True if it may take up more with a value of a key that it knows. */
  readonly growsWithValues: boolean;
  /** True if there is never more than one value per key. */
  readonly isCombining: boolean;
  /**
   * A value that a map emitted, as `add` takes it, whatever the map does to it later. Asked for before its key is known, so that a value
   * that is refused leaves no key without one. @throws NotANumber, UnfitValue
   */
  fit(value: unknown): unknown;
  /** Adds a value that `fit` gave. */
  add(key: number, state: KeyState, value: unknown): void;
  /** Writes the number of values and the values. */
  write(writer: ByteWriter, key: number): void;
  /** Adds what `write` wrote. @throws MalformedBytes */
  fold(key: number, state: KeyState, reader: ByteReader): void;
  values(key: number): Iterable<unknown>;
  /** How many values a key has. */
  count(key: number): number;
  /** The encoded values of a key in parts of at most `partBytes`, unless a single value has more: for keys with very many. */
  parts(key: number, partBytes: number): Iterable<{ readonly count: number; readonly bytes: Buffer }>;
  /** Two values as one; only where `isCombining`. */
  merge(one: unknown, other: unknown): unknown;
  clear(): void;
}
