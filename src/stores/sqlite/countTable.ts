/** How many tasks have a row, by state and queue: kept with every change, since counting millions would take too long. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isFinal, type TaskState } from "../../model/task.ts";
import type { StateCount } from "../../ports/store.ts";

export class CountTable {
  readonly #all: StatementSync;

  constructor(database: DatabaseSync) {
    this.#all = database.prepare("SELECT state, queue, count FROM counts WHERE count > 0 ORDER BY queue, state");
  }

  /** Of every state and queue that has any tasks. */
  all(): StateCount[] {
    return this.#all.all().map((row) => ({
      state: String(row["state"]) as TaskState,
      queue: String(row["queue"]),
      count: Number(row["count"]),
    }));
  }

  finished(): StateCount[] {
    return this.all().filter(({ state }) => isFinal(state));
  }
}
