/** `verify` finds whatever was changed behind the store's back, and finds nothing where nothing was. */
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import {
  changed,
  created,
  queueWrite,
  TestJournal,
  taskId,
  workerRecord,
  workerWrite,
} from "../../../src/proof/contracts/storeJournal.ts";
import { useStoreFolder } from "./storeFolder.ts";

const current = useStoreFolder();

/** A file in which everything has happened: creation, changes, forgetting, logs, workers, queues; optionally compaction. */
async function fill(compactBelow = 0): Promise<void> {
  const store = current().newStore();
  await store.open();
  const journal = new TestJournal();
  await store.append(journal.next(...created("a"), ...created("b", { name: "B", queue: "q" }), ...created("c")));
  await store.append(
    journal.next(
      workerWrite(workerRecord("w")),
      workerWrite(workerRecord("v")),
      queueWrite({ name: "q", isPaused: true }),
    ),
  );
  await store.append(
    journal.next(changed("a", "running", { host: workerRecord("w").id }), {
      kind: "record",
      collection: "workers",
      id: workerRecord("v").id,
      value: null,
    }),
  );
  await store.appendLogs([
    { task: taskId("a"), attempt: 1, offset: 0, at: 1, bytes: new Uint8Array(10), isTruncated: false },
  ]);
  await store.append(
    journal.next(
      changed("a", "success"),
      changed("b", "cancelled"),
      ...created("d", { input: { "10": 1, "9": { x: [1e21, -0.5] } } }),
    ),
  );
  await store.append(journal.next({ kind: "forget-task", id: taskId("a"), queue: "default", state: "success" }));
  await store.append(
    journal.next({ kind: "marker", address: "http://127.0.0.1:7070", collections: {} }, ...created("a")),
  );
  if (compactBelow > 0) await store.compact(compactBelow, 100);
  await store.close();
}

async function findings(): Promise<string[]> {
  return (await current().newStore().verify()).map((finding) => `${finding.part}: ${finding.message}`);
}

describe("verify", () => {
  test.each([0, 2, 5, 6])("finds nothing in a whole file, compacted below entry %d", async (below) => {
    await fill(below);
    expect(await findings()).toEqual([]);
  });

  test("works while the store is open and changing", async () => {
    await fill();
    const store = current().newStore();
    await store.open();
    const verified = store.verify();
    await store.append(new TestJournal(await store.readTail()).next(...created("late")));
    expect(await verified).toEqual([]);
    expect(await store.verify()).toEqual([]);
  });

  test.each([
    [
      "a status",
      "UPDATE tasks SET status = replace(status, 'cancelled', 'success') WHERE id = 'b'",
      "view: The task b has another status",
    ],
    ["a column", "UPDATE tasks SET state = 'created' WHERE id = 'b'", "view: The task b has the column state unlike"],
    ["a host", "UPDATE tasks SET host = 'x' WHERE id = 'b'", "view: The task b has the column host unlike"],
    ["a spec", "UPDATE specs SET spec = replace(spec, 'sleep', 'exec')", "view: The task b has another spec"],
    ["a spec that is gone", "DELETE FROM specs WHERE ord = 2", "view: The task b has no readable spec"],
    ["a row that is gone", "DELETE FROM tasks WHERE id = 'b'", "view: The task b is in the journal but has no row"],
    [
      "a row too many",
      "INSERT INTO tasks VALUES (99, 'x', 'x', 'q', 'created', NULL, 6, '{}', NULL, NULL, NULL); INSERT INTO specs VALUES (99, NULL, '{}')",
      "view: The task x is there although no entry",
    ],
    ["an older row", "UPDATE tasks SET seq = 1 WHERE id = 'b'", "view: The task b is as of entry 1"],
    [
      "a worker",
      "UPDATE records SET value = replace(value, 'host', 'tsoh')",
      "view: The record w of workers has another value",
    ],
    ["a worker that is gone", "DELETE FROM records", "view: The record w of workers is in the journal but has no row"],
    ["a queue", "UPDATE records SET value = '{' WHERE id = 'q'", "view: The record q of queues is not readable"],
    [
      "a record too many",
      "INSERT INTO records VALUES ('queues', 'x', 6, '{}')",
      "view: The record x of queues is there, but not in the journal",
    ],
    [
      "a removed record that is back",
      "INSERT INTO records VALUES ('workers', 'v', 1, '{}')",
      "view: The record v of workers is there, but not in the journal",
    ],
    [
      "the end of a task",
      "UPDATE tasks SET ended_at = 7 WHERE id = 'b'",
      "view: The task b has the column ended_at unlike",
    ],
    ["a missing end", "UPDATE tasks SET ended_at = NULL", "view: The task b has the column ended_at unlike"],
    [
      "a count",
      "UPDATE counts SET count = count + 2 WHERE state = 'cancelled'",
      "view: The count of tasks that are cancelled in queue q is off by 2",
    ],
    ["an epoch", "UPDATE journal SET epoch = 0 WHERE seq = 4", "journal: Entry 4 does not match its checksum"],
    [
      "an entry that is gone",
      "DELETE FROM journal WHERE seq = 4",
      "journal: The chain is broken: after entry 3 comes entry 5",
    ],
  ])("finds %s", async (_what, sql, expected) => {
    await fill();
    const database = new DatabaseSync(current().path);
    database.exec(sql);
    database.close();
    expect((await findings()).join("\n")).toContain(expected);
  });

  test("finds an index that differs from its table", async () => {
    await fill();
    const database = new DatabaseSync(current().path);
    database.enableDefensive(false);
    database.exec(
      `PRAGMA writable_schema = 1;
       UPDATE sqlite_schema SET sql = replace(sql, '(state, queue)', '(queue, state)') WHERE name = 'tasks_by_state'`,
    );
    database.close();
    expect((await findings()).join("\n")).toContain("file: SQLite says: row 1 missing from index tasks_by_state");
  });

  test("tells what it can of a file that cannot be opened", async () => {
    expect(await findings()).toEqual([`file: There is no file ${current().path}.`]);
    writeFileSync(current().path, "no database, whatever its name says");
    expect((await findings()).join()).toContain("is not a SQLite database");
    const other = new DatabaseSync(`${current().path}.other`);
    other.exec("CREATE TABLE precious (data TEXT)");
    other.close();
    writeFileSync(current().path, readFileSync(`${current().path}.other`));
    expect((await findings()).join()).toContain("not a store of Outlast's");
  });
});
