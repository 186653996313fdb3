/** Records of all collections: those of the cluster by collection and id, those of a task beside its row. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type CollectionName, ownerOf, type RecordValue, type StoredRecord } from "../../model/collections/table.ts";
import type { TaskId } from "../../model/ids.ts";
import type { RecordPage, RecordQuery } from "../../ports/store.ts";
import { toRecord } from "../documents.ts";
import { toRecordPage, toStoredRecord } from "../recordPage.ts";

/** What reading records takes, whatever the layout of the file. */
export interface RecordReader {
  read<Name extends CollectionName>(collection: Name, id: string): RecordValue<Name> | null;
  list<Name extends CollectionName>(collection: Name, query: RecordQuery): RecordPage<Name>;
  all<Name extends CollectionName>(collection: Name): StoredRecord<Name>[];
}

export class RecordTable implements RecordReader {
  readonly #ord: StatementSync;
  readonly #one: StatementSync;
  readonly #oneOfTask: StatementSync;
  readonly #from: StatementSync;
  readonly #fromOfTask: StatementSync;
  readonly #all: StatementSync;

  constructor(database: DatabaseSync) {
    this.#ord = database.prepare("SELECT ord FROM tasks WHERE id = ?");
    this.#one = database.prepare("SELECT value FROM records WHERE collection = ? AND id = ?");
    this.#oneOfTask = database.prepare(
      "SELECT value FROM task_records JOIN tasks USING (ord) WHERE tasks.id = ? AND collection = ? AND key = ?",
    );
    this.#all = database.prepare("SELECT id, value FROM records WHERE collection = ? ORDER BY id");
    this.#from = database.prepare(
      "SELECT id, value FROM records WHERE collection = ? AND id >= ? AND id > ? ORDER BY id",
    );
    this.#fromOfTask = database.prepare(
      "SELECT key, value FROM task_records WHERE ord = ? AND collection = ? AND key >= ? AND key > ? ORDER BY key",
    );
  }

  read<Name extends CollectionName>(collection: Name, id: string): RecordValue<Name> | null {
    const owner = ownerOf(id);
    const row = owner === null ? this.#one.get(collection, id) : this.#oneOfTask.get(owner.task, collection, owner.key);
    return row === undefined ? null : toRecord(collection, id, String(row["value"]));
  }

  list<Name extends CollectionName>(collection: Name, query: RecordQuery): RecordPage<Name> {
    return toRecordPage(collection, query, this.#rows(collection, query));
  }

  all<Name extends CollectionName>(collection: Name): StoredRecord<Name>[] {
    return this.#all.all(collection).map((row) => toStoredRecord(collection, String(row["id"]), String(row["value"])));
  }

  *#rows(
    collection: CollectionName,
    { idPrefix = "", after = "" }: RecordQuery,
  ): Generator<{ id: string; text: string }> {
    const owner = ownerOf(idPrefix);
    if (owner === null) {
      for (const row of this.#from.iterate(collection, idPrefix, after)) {
        const id = String(row["id"]);
        if (!id.startsWith(idPrefix)) return;
        yield { id, text: String(row["value"]) };
      }
      return;
    }
    const ord = this.#ord.get(owner.task)?.["ord"];
    if (ord === undefined) return;
    const afterKey = ownerOf(after)?.key ?? "";
    for (const row of this.#fromOfTask.iterate(Number(ord), collection, owner.key, afterKey)) {
      const key = String(row["key"]);
      if (!key.startsWith(owner.key)) return;
      yield { id: `${owner.task}/${key}`, text: String(row["value"]) };
    }
  }
}

interface RecordRow {
  readonly collection: string;
  readonly id: string;
  readonly value: string | null;
  readonly instant: number | null;
}

/** The writing side, for one entry at a time inside its transaction. */
export class RecordWriter {
  readonly #put: StatementSync;
  readonly #putOfTask: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeOfTask: StatementSync;

  constructor(database: DatabaseSync) {
    this.#put = database.prepare(
      `INSERT INTO records (collection, id, seq, value) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, value = excluded.value`,
    );
    this.#putOfTask = database.prepare(
      `INSERT INTO task_records (ord, collection, key, seq, value, instant) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, value = excluded.value, instant = excluded.instant`,
    );
    this.#remove = database.prepare("DELETE FROM records WHERE collection = ? AND id = ?");
    this.#removeOfTask = database.prepare("DELETE FROM task_records WHERE ord = ? AND collection = ? AND key = ?");
  }

  /** @returns false if the record belongs to a task that is not there */
  apply(seq: number, { collection, id, value, instant }: RecordRow, ordOf: (task: TaskId) => number | null): boolean {
    const owner = ownerOf(id);
    if (owner === null) {
      if (value === null) this.#remove.run(collection, id);
      else this.#put.run(collection, id, seq, value);
      return true;
    }
    const ord = ordOf(owner.task as TaskId);
    if (ord === null) return value === null;
    if (value === null) this.#removeOfTask.run(ord, collection, owner.key);
    else this.#putOfTask.run(ord, collection, owner.key, seq, value, instant);
    return true;
  }
}
