/** The past is read once for many, and never remembered without bound. */

import { expect, test } from "vitest";
import type { Entry } from "../../model/entry.ts";
import type { Nonce } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Store } from "../../ports/store.ts";
import { CollectionGaps } from "./collectionGaps.ts";
import { EntryCache } from "./entryCache.ts";
import { encodeEntry, journalStart, positionOf } from "./journal.ts";

/** A journal of so many entries, each of about so many characters, and how often it is read. */
function journalOf(count: number, length: number, perRead: number) {
  const entries: Entry[] = [];
  for (let position = journalStart; entries.length < count; position = positionOf(entries.at(-1)!)) {
    const address = "x".repeat(length);
    entries.push(
      encodeEntry(position, { epoch: 1, nonce: "n" as Nonce }, 0, [{ kind: "marker", address, collections: {} }]),
    );
  }
  const reads: number[] = [];
  const readEntries: Store["readEntries"] = async (from) => {
    reads.push(from);
    return entries.slice(from - 1, from - 1 + perRead);
  };
  return { past: new EntryCache({ readEntries } as Partial<Store> as Store, new CollectionGaps()), reads };
}

test("many who go through it together have it read once", async () => {
  const { past, reads } = journalOf(40, 10, 10);
  const goThrough = async () => {
    const seen: (number | undefined)[] = [];
    for (let seq = 1; seq <= 40; seq++) seen.push((await past.at(seq))?.seq);
    return seen;
  };
  const wanted = Array.from({ length: 40 }, (_, index) => index + 1);
  for (const seen of await Promise.all(Array.from({ length: 100 }, goThrough))) expect(seen).toEqual(wanted);
  expect(reads).toEqual([1, 11, 21, 31]);
});

test("what is not there is null, and is looked for again when it is asked for again", async () => {
  const { past, reads } = journalOf(3, 10, 10);
  expect([await past.at(4), await past.at(4)]).toEqual([null, null]);
  expect(reads).toEqual([4, 4]);
});

test("is forgotten beyond a bound, the oldest first", async () => {
  const { past, reads } = journalOf(5, limits.entryCacheTextMax / 2, 1);
  for (const seq of [1, 2, 3, 3, 2, 1]) expect((await past.at(seq))?.seq).toBe(seq);
  expect(reads).toEqual([1, 2, 3, 2, 1]);
});

test("a read that fails is told to who asked, and does not hold up the next", async () => {
  let isBroken = true;
  const readEntries = async () => {
    if (isBroken) throw new Error("it broke");
    return [];
  };
  const past = new EntryCache({ readEntries } as Partial<Store> as Store, new CollectionGaps());
  await expect(past.at(1)).rejects.toThrow("it broke");
  isBroken = false;
  await expect(past.at(1)).resolves.toBeNull();
});
