/**
 * Puts entries into the file, and brings the rows up to date with them. An entry is durable once its transaction is; the rows of
 * the tasks in it follow within a moment, or as soon as they are looked for: until then they stand in the journal, and in `pending`.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { limits } from "../../model/limits.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import { slotOf } from "../slot.ts";
import { atOneInstant, toStoreError, transact } from "./connection.ts";
import { Journal } from "./journal.ts";
import { LogTable } from "./logTable.ts";
import { type PackedEntry, repack } from "./packedEntry.ts";
import { Pending, type PendingTask } from "./pending.ts";
import { TaskWriter } from "./taskWriter.ts";

/** How far the rows have come. */
interface RowsPlace {
  /** All that entries up to here say is in the rows. */
  readonly seq: number;
  /** The highest `ord` that was given away. */
  readonly ordMax: number;
}

export class Writer {
  readonly pending: Pending;
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #journal: Journal;
  readonly #tasks: TaskWriter;
  readonly #logs: LogTable;
  readonly #place: StatementSync;
  readonly #savePlace: StatementSync;
  readonly #putWorker: StatementSync;
  readonly #dropWorker: StatementSync;
  readonly #putQueue: StatementSync;
  /** `pending` holds what the entries after `#rowsSeq` say, up to `#seq`. */
  #rowsSeq = 0;
  #seq = 0;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#journal = new Journal(database, path);
    this.#tasks = new TaskWriter(database);
    this.#logs = new LogTable(database);
    this.pending = new Pending((id) => this.#tasks.look(id));
    this.#place = database.prepare("SELECT seq, ord_max FROM rows_place");
    this.#savePlace = database.prepare("UPDATE rows_place SET seq = ?, ord_max = ?");
    this.#putWorker = database.prepare("INSERT OR REPLACE INTO workers (id, worker) VALUES (?, ?)");
    this.#dropWorker = database.prepare("DELETE FROM workers WHERE id = ?");
    this.#putQueue = database.prepare("INSERT OR REPLACE INTO queues (name, queue) VALUES (?, ?)");
  }

  append(packed: PackedEntry): "committed" | "taken" {
    return this.transact(() => {
      const { entry, forgotten } = packed;
      if (slotOf(entry, this.#journal.tail()) === "taken") return "taken";
      const place = this.catchUp();
      // What is forgotten must not come back with rows that follow later.
      const late = forgotten.length > 0 ? this.pending.takeAll() : [];
      const { ordMax } = this.#write(late, place);
      this.#tasks.forget(forgotten);
      this.pending.add(packed);
      this.#seq = entry.seq;
      this.#journal.insert(entry);
      this.#write(this.pending.takeDue(entry.at), { ...place, ordMax });
      this.#putRest(packed);
      // As fast as tasks are forgotten, so that what is left of them does not pile up.
      this.#logs.sweep(4 * forgotten.length);
      return "committed";
    });
  }

  /** One transaction that may write. */
  transact<Result>(write: () => Result): Result {
    try {
      return transact(this.#database, write);
    } catch (error) {
      this.#startAnew();
      throw error;
    }
  }

  /** Brings all rows up to date. @returns false where the disk takes nothing more: then they stay as far behind as they are */
  settle(): boolean {
    atOneInstant(this.#database, () => this.catchUp());
    if (this.pending.firstSeq === null) return true;
    try {
      this.transact(() => this.settleWithin());
      return true;
    } catch (error) {
      const failure = toStoreError(this.#path, error);
      if (failure instanceof StoreUnavailable) return false;
      throw failure;
    }
  }

  /** Reads rows that are up to date for this one read, and takes back what that wrote: it works without room on the disk. */
  glimpse<Result>(read: () => Result): Result {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.settleWithin();
      return read();
    } finally {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#startAnew();
    }
  }

  /** The same inside `transact`. */
  settleWithin(): void {
    const place = this.catchUp();
    this.#write(this.pending.takeAll(), place);
  }

  /**
   * Learns what others have put into the journal, and which rows they have written: then `pending` and the rows together say
   * what the journal says. Must run inside the transaction in which they are looked at.
   */
  catchUp(): RowsPlace {
    const row = this.#place.get();
    const place = { seq: Number(row?.["seq"]), ordMax: Number(row?.["ord_max"]) };
    const tailSeq = this.#journal.tail()?.seq ?? 0;
    if (place.seq !== this.#rowsSeq) this.pending.dropUpTo(place.seq);
    this.#rowsSeq = place.seq;
    this.#seq = Math.max(this.#seq, place.seq);
    while (this.#seq < tailSeq) {
      for (const entry of this.#journal.read(this.#seq + 1, limits.entriesPerReadMax)) {
        this.pending.add(repack(entry));
        this.#seq = entry.seq;
      }
    }
    return place;
  }

  #write(tasks: readonly PendingTask[], before: RowsPlace): RowsPlace {
    const ordMax = tasks.length === 0 ? before.ordMax : this.#tasks.write(tasks, before.ordMax);
    const seq = (this.pending.firstSeq ?? this.#seq + 1) - 1;
    if (seq !== before.seq || ordMax !== before.ordMax) this.#savePlace.run(seq, ordMax);
    this.#rowsSeq = seq;
    return { seq, ordMax };
  }

  #putRest({ workers, queues }: PackedEntry): void {
    for (const [id, text] of workers) {
      if (text === null) this.#dropWorker.run(id);
      else this.#putWorker.run(id, text);
    }
    for (const [name, text] of queues) this.#putQueue.run(name, text);
  }

  /** Nobody knows how far a transaction came that failed: what was pending is read from the journal again. */
  #startAnew(): void {
    this.pending.clear();
    this.#rowsSeq = 0;
    this.#seq = 0;
  }
}
