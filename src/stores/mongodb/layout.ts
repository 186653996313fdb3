/**
 * What the collections hold. docs/mongodb.md shows it to operators; docs/decisions/0014 says why it is like this.
 *
 * `tasks` has two halves: the fields at the top are for people and are never read back, all that Outlast reads is under `outlast`.
 */
import type { Binary, Document } from "mongodb";
import type { Incarnation } from "../../model/ids.ts";
import { StoreRefused } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { encodeDerived, noDerived } from "./derived.ts";
import { isDuplicateKey } from "./failure.ts";

/** The version of this layout. A store with a higher one is refused. */
const layoutVersion = 1;

/** One entry of the journal. `_id` is its seq: the unique key that everything rests on. */
export interface EntryDocument {
  readonly _id: number;
  readonly epoch: number;
  readonly nonce: string;
  readonly at: number;
  readonly format: number;
  readonly previousCrc: number;
  readonly crc: number;
  /** Left out where the body is in `journalParts`, and once the entry has been compacted away. */
  readonly body?: string;
  /** How many parts the body has, where it is too large for one document. */
  readonly parts?: number;
  /** JSON text of `Derived`, and its checksum. */
  readonly derived: string;
  readonly derivedCrc: number;
  /** Compacted away, except for this: the slot at the border of two epochs stays taken for ever. */
  readonly isKept?: boolean;
}

export interface PartDocument {
  /** `seq/nonce/crc/index`, so that a part of an entry that did not get its slot is nobody else's. */
  readonly _id: string;
  readonly seq: number;
  readonly text: string;
}

export interface RecordDocument {
  /** `collection/id`. */
  readonly _id: string;
  readonly seq: number;
  /** JSON text; null where the record is gone. */
  readonly value: string | null;
  readonly crc: number;
  /** When it went, so that this note of it can go later. */
  readonly goneAt?: number;
}

export interface LogDocument {
  /** `ord/attempt/offset`, each padded, so that the pieces of an attempt lie in order. */
  readonly _id: string;
  readonly task: string;
  /** `ord/attempt`. */
  readonly run: string;
  readonly ord: number;
  readonly offset: number;
  readonly at: number;
  readonly isTruncated: boolean;
  readonly bytes: Binary | Uint8Array;
}

export interface MemberDocument {
  readonly _id: string;
  readonly member: string;
}

/** Creates what is not there yet. @throws StoreRefused for a database that is not Outlast's, or a newer one's */
export async function prepareDatabase(connection: Connection, newIncarnation: () => string): Promise<Incarnation> {
  const { meta, journal, tasks, logs, run, address } = connection;
  return run(async () => {
    const found = await meta.findOne({ _id: "store" });
    if (found === null) {
      if ((await journal.findOne({})) !== null) throw foreign(address.name);
      await insertOnce(meta, { _id: "view", seq: 0, ...encodeDerived(0, noDerived) });
      await insertOnce(meta, { _id: "floor", seq: 1, sweptTo: 1 });
      await tasks.createIndexes([
        { key: { "outlast.ord": 1 } },
        { key: { "outlast.state": 1, "outlast.ord": 1 } },
        { key: { "outlast.queue": 1, "outlast.ord": 1 } },
        { key: { "outlast.name": 1, "outlast.ord": 1 }, sparse: true },
      ]);
      await logs.createIndexes([{ key: { run: 1, offset: 1 } }, { key: { ord: 1 } }]);
      await insertOnce(meta, {
        _id: "store",
        application: "outlast",
        layout: layoutVersion,
        incarnation: newIncarnation(),
      });
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
