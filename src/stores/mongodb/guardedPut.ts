/** Puts documents of entries into a collection, many with one command: each where none stands, or an older one. */
import type { Collection } from "mongodb";
import { StoreUnavailable } from "../../ports/store.ts";
import type { StoredDocument, TaskKey } from "./connection.ts";
import { duplicatesOf, isDuplicateKey } from "./failure.ts";

/** A whole document as an entry leaves it. */
export interface Put {
  /** Its `_id`; each one at most once among those that are put together, so their order does not matter. */
  readonly key: TaskKey;
  /** Of the entry. */
  readonly seq: number;
  readonly document: StoredDocument;
}

/** What inserting takes of a collection, whatever its documents are. */
interface Inserting<Stored> {
  insertMany(documents: readonly Stored[], options: { readonly ordered: boolean }): Promise<unknown>;
}

/** Where a collection keeps the seq of the entry that a document is of. */
export type SeqField = "seq" | "outlast.seq";

/** How often documents are looked at again that others change at the same time. */
export const clashTriesMax = 5;

/**
 * Whatever was seen before, each write asks for itself whether the document is older, and an insert fails where one stands. So this may
 * be done twice, or late.
 * @returns those in whose place a document without any seq stands: nothing was done about them
 * @throws StoreUnavailable if others change the same documents all the time
 */
export async function putNewer<Item extends Put>(
  collection: Collection<StoredDocument>,
  field: SeqField,
  items: readonly Item[],
): Promise<Item[]> {
  const foreign: Item[] = [];
  let left = items;
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries === clashTriesMax)
      throw new StoreUnavailable("busy", `Others change the same documents of ${collection.collectionName}.`);
    const seqs = await readSeqs(collection, field, left);
    const missing: Item[] = [];
    const older: Item[] = [];
    for (const item of left) {
      const there = seqs.get(String(item.key));
      if (there === undefined) missing.push(item);
      else if (there === null) foreign.push(item);
      else if (there < item.seq) older.push(item);
    }
    left = [...(await insertMissing(collection, missing)), ...(await replaceOlder(collection, field, older))];
  }
  return foreign;
}

/** By `_id`: the seq of what stands there, null if that has none. */
async function readSeqs(
  collection: Collection<StoredDocument>,
  field: SeqField,
  items: readonly Put[],
): Promise<Map<string, number | null>> {
  const keys = items.map(({ key }) => key);
  const found = collection.find({ _id: { $in: keys } }, { projection: { [field]: 1 } });
  const seqs = new Map<string, number | null>();
  for (const document of await found.toArray()) {
    const holder: unknown = field === "seq" ? document : document["outlast"];
    const seq: unknown = typeof holder === "object" && holder !== null && "seq" in holder ? holder.seq : null;
    seqs.set(String(document._id), typeof seq === "number" ? seq : null);
  }
  return seqs;
}

/** Returns those that somebody else has put there meanwhile. */
async function insertMissing<Item extends Put>(
  collection: Collection<StoredDocument>,
  items: readonly Item[],
): Promise<Item[]> {
  const taken = await insertNew(
    collection,
    items.map(({ document }) => document),
  );
  return taken.flatMap((index) => items[index] ?? []);
}

/** Returns all of them if any was not replaced: the next look tells which. */
async function replaceOlder<Item extends Put>(
  collection: Collection<StoredDocument>,
  field: SeqField,
  items: readonly Item[],
): Promise<readonly Item[]> {
  if (items.length === 0) return [];
  const { matchedCount } = await collection.bulkWrite(
    items.map(({ key, seq, document }) => ({
      replaceOne: { filter: { _id: key, [field]: { $lt: seq } }, replacement: document },
    })),
    { ordered: false },
  );
  return matchedCount === items.length ? [] : items;
}

/** Inserts what has a free `_id`, and returns the places of the others. */
export async function insertNew<Stored>(
  collection: Inserting<Stored>,
  documents: readonly Stored[],
): Promise<number[]> {
  if (documents.length === 0) return [];
  try {
    await collection.insertMany([...documents], { ordered: false });
    return [];
  } catch (error) {
    const taken = duplicatesOf(error) ?? (isDuplicateKey(error) ? [0] : null);
    if (taken === null) throw error;
    return taken;
  }
}
