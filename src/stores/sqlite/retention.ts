/** Finds finished tasks that have outlived their retention, those that ended first first, by the index on when they ended. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { descendantRange, mayHaveChildren } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { type FinalState, isFinal, taskStates } from "../../model/task.ts";
import type { ExpiredTask, Retention } from "../../ports/store.ts";
import { type ExpiredRoot, withFamilies } from "../familyRetention.ts";

export class RetentionQuery {
  readonly #count: StatementSync;
  readonly #oldest: StatementSync;
  readonly #descendants: StatementSync;

  constructor(database: DatabaseSync) {
    const finalStates = taskStates.filter(isFinal).map((state) => `'${state}'`);
    this.#count = database.prepare(`SELECT sum(count) AS count FROM counts WHERE state IN (${finalStates.join()})`);
    this.#oldest = database.prepare(
      `SELECT id, queue, state, ended_at, status ->> '$.family.children' AS children,
              status ->> '$.family.epoch' AS epoch
         FROM tasks WHERE ended_at IS NOT NULL ORDER BY ended_at, ord LIMIT ?`,
    );
    this.#descendants = database.prepare("SELECT id, queue, state FROM tasks WHERE id >= ? AND id < ? LIMIT ?");
  }

  /** Reads one row more than is due: the first one that is to be kept. */
  find({ endedBefore, keepMax, pinned = [] }: Retention, max: number): Promise<ExpiredTask[]> {
    const surplus = Number(this.#count.get()?.["count"] ?? 0) - keepMax;
    const expired: ExpiredRoot[] = [];
    for (const row of this.#oldest.iterate(max + pinned.length)) {
      const isDue = Number(row["ended_at"]) < endedBefore;
      if (expired.length >= surplus && !isDue) break;
      const family = { children: Number(row["children"] ?? 0), epoch: Number(row["epoch"] ?? 0) };
      expired.push({ ...toExpired(row), hasChildren: mayHaveChildren(family), isDue });
    }
    return withFamilies(expired, { surplus, max, pinned }, (root, count) => this.#below(root, count));
  }

  #below(root: TaskId, max: number): ExpiredTask[] {
    const { from, until } = descendantRange(root);
    return this.#descendants.all(from, until, max).map(toExpired);
  }
}

function toExpired(row: { readonly [column: string]: unknown }): ExpiredTask {
  return { id: String(row["id"]) as TaskId, queue: String(row["queue"]), state: String(row["state"]) as FinalState };
}
