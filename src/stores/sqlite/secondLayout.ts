/** Reads records from a file of layout 2, which has a table for workers and one for queues: a standby may not migrate it. */
import type { DatabaseSync } from "node:sqlite";
import type { CollectionName, RecordValue, StoredRecord } from "../../model/collections/table.ts";
import type { RecordPage, RecordQuery } from "../../ports/store.ts";
import { toRecordPage, toStoredRecord } from "../recordPage.ts";
import type { RecordReader } from "./recordTable.ts";

const queries: { readonly [collection: string]: string } = {
  workers: "SELECT id, worker AS value FROM workers ORDER BY id",
  queues: "SELECT name AS id, queue AS value FROM queues ORDER BY name",
};

export class SecondLayoutRecords implements RecordReader {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  read<Name extends CollectionName>(collection: Name, id: string): RecordValue<Name> | null {
    return this.all(collection).find((record) => record.id === id)?.value ?? null;
  }

  list<Name extends CollectionName>(collection: Name, query: RecordQuery): RecordPage<Name> {
    const { idPrefix = "", after = "" } = query;
    const rows = this.#rows(collection).filter(({ id }) => id.startsWith(idPrefix) && id > after);
    return toRecordPage(collection, query, rows);
  }

  all<Name extends CollectionName>(collection: Name): StoredRecord<Name>[] {
    return this.#rows(collection).map(({ id, text }) => toStoredRecord(collection, id, text));
  }

  /** Any other collection came after this layout, so nothing of it is there. */
  #rows(collection: CollectionName): { id: string; text: string }[] {
    const query = queries[collection];
    if (query === undefined) return [];
    const rows = this.#database.prepare(query).all();
    return rows.map((row) => ({ id: String(row["id"]), text: String(row["value"]) }));
  }
}
