/** Runs the user's reduce over the groups of a partition and writes the part of the output. */
import { legible } from "../../model/thrown.ts";
import { Counters } from "./counters.ts";
import type { Cursor } from "./cursor.ts";
import { isPromise } from "./mapRun.ts";
import type { OutputWriter } from "./outputWriter.ts";
import type { Group } from "./reduceTable.ts";

export interface ReduceContext {
  /** What was given to the job as `params`. */
  readonly params: unknown;
  /** Adds to a counter of the job. Counted once, however often the reduce runs. */
  count(name: string, by?: number): void;
}

/** The value for a key; undefined leaves the key out. */
export type UserReduce = (key: string, values: Iterable<never>, ctx: ReduceContext) => unknown;

export interface ReduceOptions {
  readonly groups: Iterable<Group>;
  /** Null: every value of a key is written, one a line. */
  readonly reduce: UserReduce | null;
  readonly params: unknown;
  readonly writer: OutputWriter;
  readonly cursor: Cursor;
}

export interface ReduceFigures {
  readonly keys: number;
  readonly counters: { readonly [name: string]: number };
}

/** The user's reduce failed on a key. */
export class KeyFailed extends Error {
  constructor(key: string, cause: unknown) {
    const what = legible(() => (cause instanceof Error ? `${cause.name}: ${cause.message}` : cause));
    super(`The reduce of key ${JSON.stringify(key)} failed: ${what}`, { cause });
  }
}

/** @throws KeyFailed */
export async function runReduce({ groups, reduce, params, writer, cursor }: ReduceOptions): Promise<ReduceFigures> {
  const counters = new Counters();
  const ctx: ReduceContext = { params, count: (name, by = 1) => counters.add(name, by) };
  let keys = 0;
  for (const { keys: bytes, keyStart, keyLength, values } of groups) {
    keys += 1;
    cursor.beginKey(bytes, keyStart, keyLength);
    if (reduce === null) {
      for (const value of values) writer.write(bytes, keyStart, keyLength, value);
      continue;
    }
    const key = bytes.toString("utf8", keyStart, keyStart + keyLength);
    let result: unknown;
    cursor.enter();
    try {
      result = reduce(key, values as Iterable<never>, ctx);
      if (isPromise(result)) result = await result;
    } catch (error) {
      throw new KeyFailed(key, error);
    }
    cursor.leave();
    if (result !== undefined) writer.write(bytes, keyStart, keyLength, result);
  }
  writer.end();
  return { keys, counters: counters.toJson() };
}
