/** What forgotten tasks leave behind, logs and records, removed a bounded number of rows at a time: it can be far more than an entry. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { limits } from "../../model/limits.ts";

export class Leftovers {
  readonly #next: StatementSync;
  /** Each removes at most so many rows of a task. */
  readonly #removals: readonly StatementSync[];
  readonly #settle: StatementSync;

  constructor(database: DatabaseSync) {
    this.#next = database.prepare("SELECT ord FROM forgotten LIMIT 1");
    this.#removals = ["logs", "task_records"].map((table) =>
      database.prepare(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ord = ? LIMIT ?)`),
    );
    this.#settle = database.prepare("DELETE FROM forgotten WHERE ord = ?");
  }

  /** @returns true if more is left */
  sweep(atLeast: number): boolean {
    let left = Math.max(atLeast, limits.storeSweepRowsMax);
    while (left > 0) {
      const row = this.#next.get();
      if (row === undefined) return false;
      left = this.#sweepTask(Number(row["ord"]), left) - 1;
    }
    return this.#next.get() !== undefined;
  }

  /** @returns how many more rows may be removed */
  #sweepTask(ord: number, rowsMax: number): number {
    let left = rowsMax;
    for (const removal of this.#removals) {
      if (left > 0) left -= Number(removal.run(ord, left).changes);
    }
    // Where all were used up, the task may have more.
    if (left > 0) this.#settle.run(ord);
    return left;
  }
}
