/** Migrations: in order, each once, each whole or not at all, and never back. */
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StoreRefused } from "../../ports/store.ts";
import { created, TestJournal, taskId } from "../../proof/contracts/storeJournal.ts";
import { pack } from "./packedEntry.ts";
import { type Migration, migrateAsLeader, migrateOnOpen, migrations, versionOf } from "./schema.ts";
import { TaskTable } from "./taskTable.ts";
import { Writer } from "./writer.ts";

const path = "test.db";
const last = migrations.at(-1)?.version ?? 0;

/** What a later version might do: a column that is filled from what is there. */
const nextStep: Migration = {
  version: last + 1,
  isLeaders: false,
  run: (database) =>
    database.exec(
      "ALTER TABLE tasks ADD COLUMN length INTEGER NOT NULL DEFAULT 0; UPDATE tasks SET length = length(name)",
    ),
};

let database: DatabaseSync;
beforeEach(() => {
  database = new DatabaseSync(":memory:");
});
afterEach(() => {
  database.close();
});

describe("migrateOnOpen", () => {
  test("numbers its steps without gaps", () => {
    expect(migrations.map((step) => step.version)).toEqual(migrations.map((_, index) => index + 1));
  });

  test("makes the tables of an empty file, and does nothing the second time", () => {
    expect(versionOf(database, path)).toBe(0);
    migrateOnOpen(database, path);
    expect(versionOf(database, path)).toBe(last);
    const changes = database.prepare("SELECT total_changes() AS changes");
    const before = changes.get();
    migrateOnOpen(database, path);
    expect(changes.get()).toEqual(before);
  });

  test("brings an older file up to date with everything in it", () => {
    migrateOnOpen(database, path);
    const journal = new TestJournal();
    new Writer(database, path).append(
      pack(journal.next(...created("a", { name: "four" }), ...created("b", { name: "seventh" }))),
    );
    migrateOnOpen(database, path, [...migrations, nextStep]);
    expect(versionOf(database, path)).toBe(last + 1);
    expect(new TaskTable(database).document(taskId("b"))).toMatchObject({ id: "b", name: "seventh", state: "created" });
    const lengths = database.prepare("SELECT length FROM tasks ORDER BY ord").all();
    expect(lengths.map((row) => row["length"])).toEqual([4, 7]);
    expect(new Writer(database, path).append(pack(journal.next(...created("c"))))).toBe("committed");
  });

  test("takes a step that fails back as a whole, and keeps the ones before it", () => {
    const failing: Migration = {
      version: last + 2,
      isLeaders: false,
      run: (target) => {
        target.exec("DELETE FROM meta; CREATE TABLE half (done TEXT)");
        throw new Error("in the middle");
      },
    };
    migrateOnOpen(database, path);
    expect(() => migrateOnOpen(database, path, [...migrations, nextStep, failing])).toThrow("in the middle");
    expect(versionOf(database, path)).toBe(last + 1);
    expect(database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'half'").get()).toMatchObject({
      count: 0,
    });
  });

  test("refuses a newer file and one of another program", () => {
    migrateOnOpen(database, path, [...migrations, nextStep]);
    expect(() => migrateOnOpen(database, path)).toThrow(StoreRefused);
    const foreign = new DatabaseSync(":memory:");
    foreign.exec("CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('schema', '1')");
    expect(() => migrateOnOpen(foreign, path)).toThrow("not one of Outlast's");
    foreign.close();
  });
});

describe("a step that only a leader takes", () => {
  const leaders: Migration = { ...nextStep, isLeaders: true };
  const steps = [...migrations, leaders];

  test("is not taken by whoever opens the file, unless the file is new", () => {
    migrateOnOpen(database, path);
    migrateOnOpen(database, path, steps);
    expect(versionOf(database, path)).toBe(last);
    const fresh = new DatabaseSync(":memory:");
    migrateOnOpen(fresh, path, steps);
    expect(versionOf(fresh, path)).toBe(last + 1);
    fresh.close();
  });

  test("is taken by the leader, once, after what it prepares bit by bit", async () => {
    migrateOnOpen(database, path);
    let prepared = 0;
    const prepare = () => {
      prepared += 1;
      return prepared < 3;
    };
    const isLeader = () => true;
    expect(await migrateAsLeader(database, path, isLeader, [...migrations, { ...leaders, prepare }])).toBe(true);
    expect(versionOf(database, path)).toBe(last + 1);
    expect(await migrateAsLeader(database, path, isLeader, [...migrations, { ...leaders, prepare }])).toBe(true);
    expect(prepared).toBe(3);
  });

  test.each([0, 1, 2, 3])("is left alone by a leader that is deposed after %d looks at the journal", async (looks) => {
    migrateOnOpen(database, path);
    let looked = 0;
    const isLeader = () => {
      looked += 1;
      return looked <= looks;
    };
    expect(
      await migrateAsLeader(database, path, isLeader, [...migrations, { ...leaders, prepare: () => looked < 3 }]),
    ).toBe(false);
    expect(versionOf(database, path)).toBe(last);
  });
});
