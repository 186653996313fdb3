/** Puts entries into the file: the slot, the rows of tasks and records, all in one transaction. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ownerOf } from "../../model/collections/table.ts";
import { withoutTask } from "../changes.ts";
import { slotOf } from "../slot.ts";
import { transact } from "./connection.ts";
import { Journal } from "./journal.ts";
import { Leftovers } from "./leftovers.ts";
import { type PackedEntry, unpackRecords } from "./packedEntry.ts";
import { RecordWriter } from "./recordTable.ts";
import { TaskWriter } from "./taskWriter.ts";

export class Writer {
  readonly #database: DatabaseSync;
  readonly #journal: Journal;
  readonly #tasks: TaskWriter;
  readonly #records: RecordWriter;
  readonly #leftovers: Leftovers;
  readonly #collections: CollectionsNote;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#journal = new Journal(database, path);
    this.#tasks = new TaskWriter(database);
    this.#records = new RecordWriter(database);
    this.#leftovers = new Leftovers(database);
    this.#collections = new CollectionsNote(database);
  }

  append(packed: PackedEntry): "committed" | "taken" {
    const end = transact(this.#database, () => this.#put(packed));
    if (end === "committed") this.#tasks.committed(packed.entry.seq);
    return end;
  }

  #put(packed: PackedEntry): "committed" | "taken" {
    const tail = this.#journal.tail();
    if (slotOf(packed.entry, tail) === "taken") return "taken";
    const ordMax = this.#tasks.apply(packed, tail ?? { seq: 0, ordMax: 0 });
    this.#applyRecords(packed);
    this.#collections.note(packed);
    this.#journal.insert(packed.entry, ordMax);
    // As fast as tasks are forgotten, so that what is left of them does not pile up.
    this.#leftovers.sweep(4 * packed.forgotten.length);
    return "committed";
  }

  #applyRecords({ entry, records }: PackedEntry): void {
    for (const record of unpackRecords(records)) {
      const isApplied = this.#records.apply(entry.seq, record, (task) => this.#tasks.ordOf(task));
      if (!isApplied) throw withoutTask(entry, ownerOf(record.id)?.task ?? "", "spec");
    }
  }
}

/** Puts a marker into a file whose layout is still that of an older version: nothing else may be written there. */
export class MarkerWriter {
  readonly #database: DatabaseSync;
  readonly #journal: Journal;
  readonly #collections: CollectionsNote;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#journal = new Journal(database, path);
    this.#collections = new CollectionsNote(database);
  }

  append(packed: PackedEntry): "committed" | "taken" {
    return transact(this.#database, () => {
      const tail = this.#journal.tail();
      if (slotOf(packed.entry, tail) === "taken") return "taken";
      if (packed.collections === null || packed.tasks.ids.length > 0 || packed.records.ids.length > 0)
        throw new Error(`Entry ${packed.entry.seq} was appended before the store was migrated.`);
      this.#collections.note(packed);
      this.#journal.insert(packed.entry, tail?.ordMax ?? 0);
      return "committed";
    });
  }
}

/** Remembers what the last marker lists, since the journal is compacted. */
class CollectionsNote {
  readonly #put: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare("INSERT OR REPLACE INTO meta VALUES ('collections', ?)");
  }

  note({ collections }: PackedEntry): void {
    if (collections !== null) this.#put.run(collections);
  }
}
