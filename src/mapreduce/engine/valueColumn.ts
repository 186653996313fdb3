/** What keeps the values of the keys of a table, by the number of the key. */
import type { ByteReader } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";

/** The key has no value yet, or it has some. */
export type KeyState = "new" | "known";

export interface ValueColumn {
  /** What it takes up in memory; an estimate where values are objects. */
  readonly bytes: number;
  /** True if there is never more than one value per key. */
  readonly isCombining: boolean;
  /** Adds a value that a map emitted. */
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
