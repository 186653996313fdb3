/** The step from layout 3 to layout 4: tasks are also found by their parent, and attempts by when they ended. */
import type { DatabaseSync } from "node:sqlite";
import { childMark } from "../../model/family.ts";

/*
 * Attempts that ended before this step are not found by time: they still stand with their tasks. One index serves the children
 * of a task and the tasks without a parent, each in the order of creation.
 */
const columns = `
  ALTER TABLE tasks ADD COLUMN parent TEXT;
  -- When the last attempt ended; null where none has, or where it has a record of its own.
  ALTER TABLE tasks ADD COLUMN attempt_ended_at INTEGER;
  -- By which a record is found over all tasks; null in collections that are not read by time.
  ALTER TABLE task_records ADD COLUMN instant INTEGER;

  CREATE INDEX tasks_by_parent ON tasks (parent, ord);
  CREATE INDEX tasks_by_attempt_end ON tasks (attempt_ended_at) WHERE attempt_ended_at IS NOT NULL;
  CREATE INDEX task_records_by_instant ON task_records (collection, instant) WHERE instant IS NOT NULL;
`;

export function toFourthLayout(database: DatabaseSync): void {
  database.exec(columns);
  database
    .prepare(
      `UPDATE tasks SET parent = (SELECT spec ->> '$.parent' FROM specs WHERE specs.ord = tasks.ord)
       WHERE instr(id, ?) > 0`,
    )
    .run(childMark);
}
