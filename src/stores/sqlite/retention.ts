/** Finds finished tasks that have outlived their retention, those that ended first first, by the index on when they ended. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import { type FinalState, isFinal, taskStates } from "../../model/task.ts";
import type { ExpiredTask, Retention } from "../../ports/store.ts";

export class RetentionQuery {
  readonly #count: StatementSync;
  readonly #oldest: StatementSync;

  constructor(database: DatabaseSync) {
    const finalStates = taskStates.filter(isFinal).map((state) => `'${state}'`);
    this.#count = database.prepare(`SELECT sum(count) AS count FROM counts WHERE state IN (${finalStates.join()})`);
    this.#oldest = database.prepare(
      "SELECT id, queue, state, ended_at FROM tasks WHERE ended_at IS NOT NULL ORDER BY ended_at, ord LIMIT ?",
    );
  }

  /** Reads one row more than it returns: the first one that is to be kept. */
  find({ endedBefore, keepMax }: Retention, max: number): ExpiredTask[] {
    const surplus = Number(this.#count.get()?.["count"] ?? 0) - keepMax;
    const expired: ExpiredTask[] = [];
    for (const row of this.#oldest.iterate(max)) {
      if (expired.length >= surplus && Number(row["ended_at"]) >= endedBefore) break;
      expired.push({
        id: String(row["id"]) as TaskId,
        queue: String(row["queue"]),
        state: String(row["state"]) as FinalState,
      });
    }
    return expired;
  }
}
