/** Views for masters that start: each on a connection of its own, whose transaction shows one instant however long it is read. */
import type { DatabaseSync } from "node:sqlite";
import type { LiveView } from "../../ports/store.ts";
import { toQueue, toWorker } from "../documents.ts";
import { connectToRead, guarded } from "./connection.ts";
import { CountTable } from "./countTable.ts";
import { streamLiveTasks } from "./liveTasks.ts";

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
          // Rows may know more than that; to hear of it again from the journal does no harm.
          seq: Number(snapshot.prepare("SELECT seq FROM rows_place").get()?.["seq"]),
          workers: workers.map((row) => toWorker(String(row["worker"]))),
          queues: queues.map((row) => toQueue(String(row["queue"]))),
          finished: new CountTable(snapshot).finished(),
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
