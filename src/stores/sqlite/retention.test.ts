/** Retention reads the rows that are due and one more, however many are kept. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changed, created, TestJournal } from "../../proof/contracts/storeJournal.ts";
import { pack } from "./packedEntry.ts";
import { RetentionQuery } from "./retention.ts";
import { migrateOnOpen } from "./schema.ts";
import { Writer } from "./writer.ts";

const kept = 2_000;
let database: DatabaseSync;
/** Rows of tasks that have been read since the query was made. */
let rowsRead: number;
let plans: string[];

/** The same database, with every row counted that a statement on tasks hands over. */
function counting(): DatabaseSync {
  const prepare = (sql: string): StatementSync => {
    const statement = database.prepare(sql);
    if (!sql.includes("FROM tasks")) return statement;
    const parameters = sql
      .replaceAll(/[^?]/g, "")
      .split("")
      .map(() => 1);
    plans.push(
      ...database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map((row) => String(row["detail"])),
    );
    return {
      *iterate(...values: never[]) {
        for (const row of statement.iterate(...values)) {
          rowsRead += 1;
          yield row;
        }
      },
      all(...values: never[]) {
        const rows = statement.all(...values);
        rowsRead += rows.length;
        return rows;
      },
    } as Partial<StatementSync> as StatementSync;
  };
  return { prepare } as Partial<DatabaseSync> as DatabaseSync;
}

beforeEach(() => {
  database = new DatabaseSync(":memory:");
  migrateOnOpen(database, "test.db");
  rowsRead = 0;
  plans = [];
  const journal = new TestJournal();
  const writer = new Writer(database, "test.db");
  const ids = Array.from({ length: kept }, (_, index) => `t${index}`);
  writer.append(pack(journal.next(...ids.flatMap((id, index) => created(id, { queue: `q${index % 20}` })))));
  // Those that were created last end first.
  writer.append(pack(journal.next(...ids.map((id, index) => changed(id, "success", { changedAt: 10_000 - index })))));
  writer.append(pack(journal.next(...created("unfinished"), changed("unfinished", "running", { changedAt: 1 }))));
});
afterEach(() => database.close());

describe("a look for expired tasks", () => {
  test("reads one row where none is due", async () => {
    const query = new RetentionQuery(counting());
    expect(await query.find({ endedBefore: 5, keepMax: kept }, 500)).toEqual([]);
    expect(rowsRead).toBeLessThanOrEqual(1);
  });

  test("reads what is due by its age and one row more", async () => {
    const query = new RetentionQuery(counting());
    const oldest = 10_000 - kept + 1;
    expect((await query.find({ endedBefore: oldest + 3, keepMax: kept }, 500)).map(({ id }) => id)).toEqual([
      `t${kept - 1}`,
      `t${kept - 2}`,
      `t${kept - 3}`,
    ]);
    expect(rowsRead).toBe(4);
  });

  test("reads what is too much and one row more", async () => {
    const query = new RetentionQuery(counting());
    expect((await query.find({ endedBefore: 0, keepMax: kept - 2 }, 500)).map(({ id }) => id)).toEqual([
      `t${kept - 1}`,
      `t${kept - 2}`,
    ]);
    expect(rowsRead).toBe(3);
  });

  test("walks an index and sorts nothing", async () => {
    new RetentionQuery(counting());
    expect(plans).toEqual([
      "SEARCH tasks USING INDEX tasks_by_end (ended_at>?)",
      // What is below a root that has children.
      "SEARCH tasks USING INDEX tasks_by_id (id>? AND id<?)",
    ]);
  });
});
