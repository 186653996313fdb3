/**
 * What the collections hold. docs/mongodb.md shows it to operators; docs/decisions/0017 says why it is like this.
 *
 * `tasks` has two halves: the fields at the top are for people and are never read back, all that Outlast reads is under `outlast`.
 */
import type { Document } from "mongodb";
import type { Incarnation } from "../../model/ids.ts";
import { StoreRefused } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { encodeDerived, noDerived } from "./derived.ts";
import { isDuplicateKey } from "./failure.ts";

/** The version of this layout. A store with a higher one is refused. */
const layoutVersion = 1;

/** Creates what is not there yet. @throws StoreRefused for a database that is not Outlast's, or a newer one's */
export async function prepareDatabase(connection: Connection, newIncarnation: () => string): Promise<Incarnation> {
  const { meta, journal, address } = connection;
  return connection.run(async () => {
    const found = await meta.findOne({ _id: "store" });
    if (found === null) {
      if ((await journal.findOne({})) !== null) throw foreign(address.name);
      await insertOnce(meta, { _id: "view", seq: 0, ...encodeDerived(0, noDerived) });
      await insertOnce(meta, { _id: "floor", seq: 1, sweptTo: 1 });
      await createIndexes(connection);
      await finishStore(connection, newIncarnation());
    }
    const store = found ?? (await meta.findOne({ _id: "store" }));
    if (store?.["application"] !== "outlast" || typeof store["layout"] !== "number") throw foreign(address.name);
    if (store["layout"] > layoutVersion) {
      throw new StoreRefused(
        `${address.name} was written by a newer version of Outlast (layout ${store["layout"]}; this one knows layouts up to ${layoutVersion}).`,
        "Run the newer version, or restore a backup from before the upgrade.",
      );
    }
    return String(store["incarnation"]) as Incarnation;
  });
}

/** Those that are missing. An older version has none for the fields that came later. */
export async function createIndexes({ tasks, records, logs }: Connection): Promise<void> {
  await tasks.createIndexes([
    { key: { "outlast.ord": 1 } },
    { key: { "outlast.state": 1, "outlast.ord": 1 } },
    { key: { "outlast.queue": 1, "outlast.ord": 1 } },
    { key: { "outlast.name": 1, "outlast.ord": 1 }, sparse: true },
    { key: { "outlast.endedAt": 1 }, sparse: true },
    // Children of a task and, of null, tasks without a parent.
    { key: { "outlast.parent": 1, "outlast.ord": 1 } },
    { key: { "outlast.attemptEndedAt": 1 }, sparse: true },
  ]);
  await logs.createIndexes([{ key: { run: 1, offset: 1 } }, { key: { ord: 1 } }]);
  await records.createIndexes([
    { key: { place: 1, key: 1 } },
    { key: { ord: 1 }, sparse: true },
    { key: { instant: 1 }, sparse: true },
  ]);
}

/**
 * What the notes of forgotten tasks and of removed records are found by. Made apart from the others: over a large store that takes
 * minutes, and no leader should wait for it.
 */
export async function createNoteIndexes({ tasks, records }: Connection): Promise<void> {
  await tasks.createIndexes([{ key: { "outlast.goneAt": 1 }, sparse: true }]);
  await records.createIndexes([{ key: { goneAt: 1 }, sparse: true }]);
}

/** With this the database is a store. */
export async function finishStore({ meta }: Connection, incarnation: string): Promise<void> {
  await insertOnce(meta, { _id: "store", application: "outlast", layout: layoutVersion, incarnation });
}

/** Several processes may do this at once; the first one wins. */
async function insertOnce(
  collection: { insertOne(document: Document & { _id: string }): Promise<unknown> },
  document: Document & { _id: string },
): Promise<void> {
  try {
    await collection.insertOne(document);
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}

function foreign(name: string): StoreRefused {
  return new StoreRefused(
    `${name} holds a journal that is not Outlast's.`,
    "Give another database; this one was left as it is.",
  );
}
