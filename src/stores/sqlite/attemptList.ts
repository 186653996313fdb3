/** Attempts of all tasks by when they ended: the last one of each task from its status, the others from their records. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AttemptRecord } from "../../model/attemptRecord.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptPage, AttemptQuery } from "../../ports/store.ts";
import {
  type AttemptPlace,
  type AttemptRow,
  fromAttemptCursor,
  isWanted,
  rowOfRecord,
  rowOfStatus,
  toAttemptPage,
} from "../attemptPage.ts";
import { toRecord, toStatus } from "../documents.ts";
import { turn } from "./connection.ts";

export class AttemptList {
  readonly #after: StatementSync;

  constructor(database: DatabaseSync) {
    // Both halves are read in the order of their index, and merged.
    this.#after = database.prepare(`
      SELECT attempt_ended_at AS ended_at, ord, CAST(status ->> '$.attempt' AS INTEGER) AS attempt, id, name, status, NULL AS record
        FROM tasks WHERE attempt_ended_at >= ?1 AND (attempt_ended_at, ord, CAST(status ->> '$.attempt' AS INTEGER)) > (?1, ?2, ?3)
      UNION ALL
      SELECT instant, ord, CAST(key AS INTEGER), id, name, NULL, value
        FROM task_records JOIN tasks USING (ord)
        WHERE collection = 'attempts' AND instant >= ?1 AND (instant, ord, CAST(key AS INTEGER)) > (?1, ?2, ?3)
      ORDER BY 1, 2, 3 LIMIT ?4`);
  }

  async page(query: AttemptQuery): Promise<AttemptPage> {
    const found: AttemptRow[] = [];
    let after = fromAttemptCursor(query);
    for (let isEnd = false; !isEnd && found.length <= query.limit; ) {
      const rows = this.#read(after);
      found.push(...rows.filter((row) => isWanted(row, query)));
      after = rows.at(-1)?.place ?? after;
      isEnd = rows.length < limits.storeStepRowsMax;
      // Of another worker, or begun too late: many may have to be passed over, and others must have their turn.
      if (!isEnd && found.length <= query.limit) await turn();
    }
    return toAttemptPage(found.slice(0, query.limit + 1), query);
  }

  #read({ endedAt, ord, attempt }: AttemptPlace): AttemptRow[] {
    return this.#after.all(endedAt, ord, attempt, limits.storeStepRowsMax).flatMap((row) => {
      const task = { id: String(row["id"]) as TaskId, name: String(row["name"]), ord: Number(row["ord"]) };
      if (row["record"] === null) return rowOfStatus(task, toStatus(String(row["status"])));
      const id = `${task.id}/${Number(row["attempt"])}`;
      return rowOfRecord(task, toRecord("attempts", id, String(row["record"])) satisfies AttemptRecord);
    });
  }
}
