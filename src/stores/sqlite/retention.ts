/** Finds finished tasks that have outlived their retention, oldest first, without looking through the young ones. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TaskId } from "../../model/ids.ts";
import { type FinalState, isFinal, type TaskStatus } from "../../model/task.ts";
import type { ExpiredTask, Retention, StateCount } from "../../ports/store.ts";

export class RetentionQuery {
  readonly #oldest: StatementSync;

  constructor(database: DatabaseSync) {
    this.#oldest = database.prepare(
      "SELECT ord, id, status FROM tasks WHERE state = ? AND queue = ? ORDER BY ord LIMIT ?",
    );
  }

  /** `counts` are those of all states and queues. */
  find({ endedBefore, keepMax }: Retention, counts: readonly StateCount[], max: number): ExpiredTask[] {
    const finished = counts.filter(({ state }) => isFinal(state));
    const surplus = Math.min(max, finished.reduce((sum, { count }) => sum + count, 0) - keepMax);
    const rows = finished.flatMap(({ state, queue }) =>
      this.#oldest.all(state, queue, max).map((row) => ({
        ord: Number(row["ord"]),
        id: String(row["id"]) as TaskId,
        queue,
        state: state as FinalState,
        endedAt: (JSON.parse(String(row["status"])) as TaskStatus).changedAt,
      })),
    );
    rows.sort((a, b) => a.ord - b.ord);
    return rows
      .filter(({ endedAt }, index) => index < surplus || endedAt < endedBefore)
      .slice(0, max)
      .map(({ id, queue, state }) => ({ id, queue, state }));
  }
}
