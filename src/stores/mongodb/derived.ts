/**
 * What an entry means for counts and for the order of creation, worked out by its author and kept beside it. Whoever brings the view up
 * to date later, perhaps for the second time, need not know how the tasks stood before.
 */
import { crc32 } from "node:zlib";
import type { CollectionVersions } from "../../model/collections/table.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskState } from "../../model/task.ts";
import type { StateCount } from "../../ports/store.ts";
import { StoreRefused } from "../../ports/store.ts";

export interface Derived {
  /** The highest `ord` given to a task up to and with this entry. */
  readonly ordMax: number;
  /** Tasks whose spec is in the entry although they were there before. All others with a spec are new, in the entry's order. */
  readonly again: readonly TaskId[];
  /** Places in the order of creation of tasks that were there before and own a record in the entry. */
  readonly owners?: { readonly [task: string]: number };
  /** What the last marker lists, where the entry holds one; in the note of the view, what the last one of all lists. */
  readonly collections?: CollectionVersions;
  /** By `state queue`: how many tasks entered or left it. In the note of the view: how many there are. */
  readonly counts: { readonly [key: string]: number };
}

export const noDerived: Derived = { ordMax: 0, again: [], counts: {} };

export function encodeDerived(
  seq: number,
  derived: Derived,
): { readonly derived: string; readonly derivedCrc: number } {
  const text = JSON.stringify(derived);
  return { derived: text, derivedCrc: sum(seq, text) };
}

/** @throws StoreRefused if it was changed */
export function decodeDerived(seq: number, text: unknown, crc: unknown): Derived {
  if (typeof text !== "string" || sum(seq, text) !== crc) {
    throw new StoreRefused(
      `The store's note on entry ${seq} is damaged: its checksum does not match its content.`,
      "Something other than Outlast has changed the collections `journal` or `meta`. Restore the store from a backup.",
    );
  }
  return JSON.parse(text) as Derived;
}

function sum(seq: number, text: string): number {
  return crc32(`${seq} ${text}`);
}

/** `counts` with the changes of one entry. Neither a state nor a queue's name can hold a space. */
export function addCounts(
  counts: { readonly [key: string]: number },
  changes: { readonly [key: string]: number },
): { readonly [key: string]: number } {
  const after: { [key: string]: number } = { ...counts };
  for (const [key, by] of Object.entries(changes)) {
    const count = (after[key] ?? 0) + by;
    if (count === 0) delete after[key];
    else after[key] = count;
  }
  return after;
}

export function toStateCounts(counts: { readonly [key: string]: number }): StateCount[] {
  return Object.entries(counts).map(([key, count]) => {
    const [state = "", queue = ""] = key.split(" ");
    return { queue, state: state as TaskState, count };
  });
}

/** `derived` as of a further entry, for the note of the view. */
export function advance(derived: Derived, { ordMax, counts, collections = derived.collections }: Derived): Derived {
  return {
    ordMax,
    again: [],
    counts: addCounts(derived.counts, counts),
    ...(collections === undefined ? {} : { collections }),
  };
}
