/** Views for masters that start: each on a connection of its own, whose transaction shows one instant however long it is read. */
import type { DatabaseSync } from "node:sqlite";
import type { LiveView } from "../../ports/store.ts";
import { toQueue, toWorker } from "../documents.ts";
import { connectToRead, guarded } from "./connection.ts";
import { Journal } from "./journal.ts";
import { streamLiveTasks } from "./liveTasks.ts";
import { TaskTable } from "./taskTable.ts";

export class Views {
  readonly #path: string;
  /** Connections of views that are still being read. */
  readonly #open = new Set<DatabaseSync>();

  constructor(path: string) {
    this.#path = path;
  }

  open(): LiveView {
    return guarded(this.#path, () => {
      const snapshot = connectToRead(this.#path);
      this.#open.add(snapshot);
      const done = () => {
        if (this.#open.delete(snapshot)) snapshot.close();
      };
      try {
        snapshot.exec("BEGIN");
        const workers = snapshot.prepare("SELECT worker FROM workers").all();
        const queues = snapshot.prepare("SELECT queue FROM queues").all();
        return {
          seq: new Journal(snapshot, this.#path).tail()?.seq ?? 0,
          workers: workers.map((row) => toWorker(String(row["worker"]))),
          queues: queues.map((row) => toQueue(String(row["queue"]))),
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
