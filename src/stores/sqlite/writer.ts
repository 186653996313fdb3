/** Puts entries into the file: the slot, the tasks' rows, workers and queues, all in one transaction. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { slotOf } from "../slot.ts";
import { transact } from "./connection.ts";
import { Journal } from "./journal.ts";
import { LogTable } from "./logTable.ts";
import type { PackedEntry } from "./packedEntry.ts";
import { TaskWriter } from "./taskWriter.ts";

export class Writer {
  readonly #database: DatabaseSync;
  readonly #journal: Journal;
  readonly #tasks: TaskWriter;
  readonly #logs: LogTable;
  readonly #putWorker: StatementSync;
  readonly #dropWorker: StatementSync;
  readonly #putQueue: StatementSync;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#journal = new Journal(database, path);
    this.#tasks = new TaskWriter(database);
    this.#logs = new LogTable(database);
    this.#putWorker = database.prepare("INSERT OR REPLACE INTO workers (id, worker) VALUES (?, ?)");
    this.#dropWorker = database.prepare("DELETE FROM workers WHERE id = ?");
    this.#putQueue = database.prepare("INSERT OR REPLACE INTO queues (name, queue) VALUES (?, ?)");
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
    this.#applyRest(packed);
    this.#journal.insert(packed.entry, ordMax);
    // As fast as tasks are forgotten, so that what is left of them does not pile up.
    this.#logs.sweep(4 * packed.forgotten.length);
    return "committed";
  }

  #applyRest({ workers, queues }: PackedEntry): void {
    for (const [id, text] of workers) {
      if (text === null) this.#dropWorker.run(id);
      else this.#putWorker.run(id, text);
    }
    for (const [name, text] of queues) this.#putQueue.run(name, text);
  }
}
