/** The step from layout 2 to layout 3: one table for the records of all collections, and a column for when a task ended. */
import type { DatabaseSync } from "node:sqlite";
import { limits } from "../../model/limits.ts";

/*
 * Records that belong to a task are found by the number of its row, as its logs are: once the row is gone nothing shows them,
 * whatever is created under the same id later, and they can be removed bit by bit.
 */
const tables = `
  CREATE TABLE records (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Of the entry that wrote this value; 0 if it is from before layout 3.
    seq INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX records_by_id ON records (collection, id);

  CREATE TABLE task_records (
    ord INTEGER NOT NULL,
    collection TEXT NOT NULL,
    -- The id is the task's id, a slash and this.
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX task_records_by_key ON task_records (ord, collection, key);

  INSERT INTO records (collection, id, seq, value) SELECT 'workers', id, 0, worker FROM workers;
  INSERT INTO records (collection, id, seq, value) SELECT 'queues', name, 0, queue FROM queues;
  DROP TABLE workers;
  DROP TABLE queues;
  -- A master of layout 2 that had the file open reads this first when it starts to follow again. The error that it gets, and
  -- ends with, holds this name.
  CREATE VIEW workers AS SELECT * FROM "this file was migrated by a newer version of Outlast: upgrade this master";
`;

const isFinal = "state IN ('success', 'failed', 'cancelled')";
const endOf = "json_extract(status, '$.changedAt')";

export function toThirdLayout(database: DatabaseSync): void {
  addColumn(database);
  database.exec(`
    UPDATE tasks SET ended_at = ${endOf} WHERE ${isFinal} AND ended_at IS NULL;
    CREATE INDEX tasks_by_end ON tasks (ended_at) WHERE ended_at IS NOT NULL;
    ${tables}
  `);
}

/** Fills the new column for some of the finished tasks. A master of layout 2 can live with what this does. */
export function prepareThirdLayout(database: DatabaseSync): boolean {
  addColumn(database);
  const { after } = database.prepare("SELECT CAST(value AS INTEGER) AS after FROM meta WHERE key = 'filled'").get() ?? {
    after: 0,
  };
  const { last } =
    database
      .prepare("SELECT max(ord) AS last FROM (SELECT ord FROM tasks WHERE ord > ? ORDER BY ord LIMIT ?)")
      .get(Number(after), limits.storeMigrationRowsMax) ?? {};
  if (last === null || last === undefined) {
    database.exec("DELETE FROM meta WHERE key = 'filled'");
    return false;
  }
  database
    .prepare(`UPDATE tasks SET ended_at = ${endOf} WHERE ord > ? AND ord <= ? AND ${isFinal} AND ended_at IS NULL`)
    .run(Number(after), Number(last));
  database.prepare("INSERT OR REPLACE INTO meta VALUES ('filled', ?)").run(String(last));
  return true;
}

function addColumn(database: DatabaseSync): void {
  const known = database.prepare("SELECT 1 FROM pragma_table_info('tasks') WHERE name = 'ended_at'").get();
  if (known === undefined) database.exec("ALTER TABLE tasks ADD COLUMN ended_at INTEGER");
}
