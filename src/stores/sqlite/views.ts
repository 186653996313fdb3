/** Views for masters that start: each on a connection of its own, whose transaction shows one instant however long it is read. */
import type { DatabaseSync } from "node:sqlite";
import type { CollectionName, CollectionVersions, StoredRecord } from "../../model/collections/table.ts";
import type { LiveView } from "../../ports/store.ts";
import { connectToRead, guarded, turn } from "./connection.ts";
import { Journal } from "./journal.ts";
import { streamLiveTasks } from "./liveTasks.ts";
import { type RecordReader, RecordTable } from "./recordTable.ts";
import { versionOf } from "./schema.ts";
import { SecondLayoutRecords } from "./secondLayout.ts";
import { TaskTable } from "./taskTable.ts";

export class Views {
  readonly #path: string;
  /** Connections of views that are still being read. */
  readonly #open = new Set<DatabaseSync>();

  constructor(path: string) {
    this.#path = path;
  }

  open(collections: readonly CollectionName[]): LiveView {
    return guarded(this.#path, () => {
      const snapshot = connectToRead(this.#path);
      this.#open.add(snapshot);
      const done = () => {
        if (this.#open.delete(snapshot)) snapshot.close();
      };
      try {
        snapshot.exec("BEGIN");
        const records = recordReader(snapshot, this.#path);
        const listed = snapshot.prepare("SELECT value FROM meta WHERE key = 'collections'").get();
        return {
          seq: new Journal(snapshot, this.#path).tail()?.seq ?? 0,
          records: inBatches(records, collections),
          collections: listed === undefined ? null : (JSON.parse(String(listed["value"])) as CollectionVersions),
          finished: new TaskTable(snapshot).finishedCounts(),
          tasks: streamLiveTasks(snapshot, this.#path, done),
        };
      } catch (error) {
        done();
        throw error;
      }
    });
  }

  close(): void {
    for (const snapshot of this.#open) snapshot.close();
    this.#open.clear();
  }
}

/** Reads the records of a file as it is now: a leader may have migrated it since the last look. */
export function recordReader(database: DatabaseSync, path: string): RecordReader {
  return versionOf(database, path) >= recordsLayout ? new RecordTable(database) : new SecondLayoutRecords(database);
}

/** From this layout on there is one table for the records of all collections. */
const recordsLayout = 3;

async function* inBatches(
  reader: RecordReader,
  collections: readonly CollectionName[],
): AsyncGenerator<StoredRecord[]> {
  for (const collection of collections) {
    yield reader.all(collection);
    await turn();
  }
}
