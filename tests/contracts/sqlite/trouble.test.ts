/** What happens while the SQLite store cannot write: a full disk, a neighbour that holds the lock. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, test } from "vitest";
import type { OutgoingEntry } from "../../../src/model/entry.ts";
import { limits } from "../../../src/model/limits.ts";
import { StoreUnavailable } from "../../../src/ports/store.ts";
import { created, TestJournal, taskId } from "../../../src/proof/contracts/storeJournal.ts";
import { guarded } from "../../../src/stores/sqlite/connection.ts";
import { pack } from "../../../src/stores/sqlite/packedEntry.ts";
import { migrateOnOpen } from "../../../src/stores/sqlite/schema.ts";
import { ThreadedSqliteStore } from "../../../src/stores/sqlite/threadedStore.ts";
import { Writer } from "../../../src/stores/sqlite/writer.ts";
import { countingIds } from "../countingIds.ts";
import { useStoreFolder } from "./storeFolder.ts";

const current = useStoreFolder();
const mounts: string[] = [];

afterEach(() => {
  for (const folder of mounts.splice(0)) spawnSync("umount", ["--lazy", folder]);
});

/** A file system of this size, in memory; null where this process may not mount one. */
function mountSmall(mebibytes: number): string | null {
  const folder = join(current().folder, "small");
  mkdirSync(folder);
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "outlast-test", folder]);
  if (status !== 0) return null;
  mounts.push(folder);
  return folder;
}

function wideEntry(journal: TestJournal, name: string): OutgoingEntry {
  return journal.next(
    ...[0, 1, 2].flatMap((index) =>
      created(`${name}-${index}`, { input: { seconds: 1, padding: "x".repeat(20_000) } }),
    ),
  );
}

/** Appends until there is no room; returns the entry that found none. */
async function fillUp(
  journal: TestJournal,
  append: (entry: OutgoingEntry) => Promise<string>,
): Promise<{ failed: OutgoingEntry; error: unknown }> {
  while (true) {
    const failed = wideEntry(journal, `n${performance.now()}`);
    try {
      expect(await append(failed)).toBe("committed");
    } catch (error) {
      return { failed, error };
    }
  }
}

test("a file system that has become read-only is named", ({ skip }) => {
  const folder = mountSmall(1);
  if (folder === null) return skip("Only root on Linux can make a small disk.");
  const path = join(folder, "outlast.db");
  writeFileSync(path, "");
  const write = () => guarded(path, () => failing());
  expect(write).toThrow(/cannot be read or written \(disk I\/O error, SQLite error 778\)\.$/);
  expect(spawnSync("mount", ["-o", "remount,ro", folder]).status).toBe(0);
  expect(write).toThrow("Its file system is read-only");
});

/** As SQLite fails where a write is refused. */
function failing(): never {
  throw Object.assign(new Error("disk I/O error"), { errcode: 778 });
}

test("a store on a full disk is said to be that when it is opened or checked, and not to be damaged", async ({
  skip,
}) => {
  const folder = mountSmall(1);
  if (folder === null) return skip("Only root on Linux can make a small disk.");
  const store = current().newStore();
  await store.open();
  await store.close();
  const path = join(folder, "outlast.db");
  copyFileSync(current().path, path);
  expect(() => writeFileSync(join(folder, "rest"), Buffer.alloc(2 ** 20))).toThrow("ENOSPC");
  const full = current().newStore(path);
  await expect(full.open()).rejects.toThrow("There is no room left on the disk");
  expect(await full.verify()).toMatchObject([{ advice: expect.stringContaining("has room") as string }]);
});

describe("files that are not in their place any more", () => {
  test.each(["outlast.db", "outlast.db-wal"])(
    "%s is missed: nothing is acknowledged until it is back",
    async (name) => {
      const { folder, newStore } = current();
      const store = newStore();
      await store.open();
      const journal = new TestJournal();
      expect(await store.append(journal.next(...created("a")))).toBe("committed");
      const file = join(folder, name);
      const away = join(folder, "away");
      renameSync(file, away);
      const second = journal.next(...created("b"));
      const gone = { name: "StoreUnavailable", reason: "io", message: expect.stringContaining("was moved") as string };
      await expect(store.append(second)).rejects.toMatchObject(gone);
      copyFileSync(away, file);
      await expect(store.append(second)).rejects.toMatchObject(gone);
      await expect(store.appendLogs([])).rejects.toMatchObject(gone);
      renameSync(away, file);
      // As after any trouble, who appends finds out by itself that the entry is there.
      expect(await store.append(second)).toBe("taken");
      expect(await store.readTail()).toMatchObject({ seq: second.seq, nonce: second.nonce });
      expect(await store.append(journal.next(...created("c")))).toBe("committed");
      expect(await store.verify()).toEqual([]);
    },
  );
});

describe("a full disk", () => {
  test("is `full`; nothing is half written, and the same bytes go in once there is room", async ({ skip }) => {
    const folder = mountSmall(8);
    if (folder === null) {
      skip("only the superuser can mount a small disk; the next test bounds the file instead");
      return;
    }
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(3 * 1024 * 1024));
    const store = current().newStore(join(folder, "outlast.db"));
    await store.open();
    const journal = new TestJournal();
    const { failed, error } = await fillUp(journal, (entry) => store.append(entry));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).toMatchObject({ reason: "full" });
    const id = taskId(failed.writes.flatMap((write) => (write.kind === "spec" ? write.spec.id : []))[0] ?? "");

    expect((await store.readTail())?.seq).toBe(failed.seq - 1);
    expect(await store.readTask(id)).toBeNull();
    await expect(store.append(failed)).rejects.toMatchObject({ reason: "full" });
    const chunk = {
      task: taskId("x"),
      attempt: 1,
      offset: 0,
      at: 0,
      bytes: new Uint8Array(60_000),
      isTruncated: false,
    };
    const known = (await store.listTasks({ order: "newest", cursor: null, limit: 1 })).tasks[0]?.id ?? taskId("");
    await expect(
      store.appendLogs(Array.from({ length: 100 }, (_, index) => ({ ...chunk, task: known, offset: index }))),
    ).rejects.toMatchObject({ reason: "full" });
    expect(await store.readLogs(known, 1, 0, 1)).toEqual([]);

    rmSync(ballast);
    expect(await store.append(failed)).toBe("committed");
    expect(await store.readTask(id)).toMatchObject({ id, state: "created" });
    expect(await store.append(wideEntry(journal, "after"))).toBe("committed");
    expect(await store.verify()).toEqual([]);
  });

  test("is the same where the file itself may not grow", async () => {
    const { path, newStore } = current();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL");
    migrateOnOpen(database, path);
    database.exec("PRAGMA max_page_count = 300");
    const writer = new Writer(database, path);
    const journal = new TestJournal();
    const { failed, error } = await fillUp(journal, async (entry) => guarded(path, () => writer.append(pack(entry))));
    expect(error).toMatchObject({ name: "StoreUnavailable", reason: "full" });
    database.exec("PRAGMA max_page_count = 10000");
    expect(writer.append(pack(failed))).toBe("committed");
    database.close();
    expect(await newStore().verify()).toEqual([]);
  });
});

describe("a neighbour that holds the lock", () => {
  test("makes writes `busy` after a bounded wait, leaves reads alone, and the same bytes go in afterwards", async () => {
    const store = current().newStore();
    await store.open();
    const journal = new TestJournal();
    await store.append(journal.next(...created("a")));
    const neighbour = new DatabaseSync(current().path);
    neighbour.exec("BEGIN IMMEDIATE");
    const entry = journal.next(...created("b"));
    const startedAt = performance.now();
    await expect(store.append(entry)).rejects.toMatchObject({ reason: "busy" });
    expect(performance.now() - startedAt).toBeLessThan(4 * limits.storeBusyMsMax);
    expect(await store.readTask(taskId("a"))).not.toBeNull();
    expect((await store.readTail())?.seq).toBe(1);
    neighbour.exec("ROLLBACK");
    neighbour.close();
    expect(await store.append(entry)).toBe("committed");
  });

  test("does not hold up the master's own thread, and the trouble comes over from the store's thread as it is", async () => {
    const store = new ThreadedSqliteStore({ path: current().path, ids: countingIds() });
    await store.open();
    const journal = new TestJournal();
    await store.append(journal.next(...created("a")));
    const neighbour = new DatabaseSync(current().path);
    neighbour.exec("BEGIN IMMEDIATE");
    const entry = journal.next(...created("b"));
    let turns = 0;
    const heart = setInterval(() => {
      turns += 1;
      // Let go only once this thread has lived on while the store could not.
      if (turns === 5) neighbour.exec("ROLLBACK");
    }, 1);
    expect(await store.append(entry)).toBe("committed");
    clearInterval(heart);
    neighbour.exec("BEGIN IMMEDIATE");
    const refused = store.append(journal.next(...created("c")));
    await expect(refused).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(refused).rejects.toMatchObject({ reason: "busy", message: expect.stringContaining("holds") });
    neighbour.close();
    await store.close();
    await expect(store.readTail()).rejects.toThrow("is not open");
  });
});

describe("logs of forgotten tasks", () => {
  test("are removed a bounded number at a time, with the entries that follow", async () => {
    const store = current().newStore();
    await store.open();
    const journal = new TestJournal();
    await store.append(journal.next(...created("a"), ...created("b")));
    const count = 3 * limits.storeSweepRowsMax + 10;
    const bytes = new Uint8Array(100);
    await store.appendLogs(
      Array.from({ length: count }, (_, index) => ({
        task: taskId("a"),
        attempt: 1,
        offset: index,
        at: 0,
        bytes,
        isTruncated: false,
      })),
    );
    await store.appendLogs([{ task: taskId("b"), attempt: 1, offset: 0, at: 0, bytes, isTruncated: false }]);
    const left = () => {
      const database = new DatabaseSync(current().path, { readOnly: true });
      const row = database
        .prepare("SELECT (SELECT count(*) FROM logs) AS logs, (SELECT count(*) FROM forgotten) AS forgotten")
        .get();
      database.close();
      return { ...row };
    };
    await store.append(journal.next({ kind: "forget-task", id: taskId("a"), queue: "default", state: "success" }));
    expect(left()).toEqual({ logs: count + 1 - limits.storeSweepRowsMax, forgotten: 1 });
    await store.append(journal.next());
    expect(await store.sweep?.()).toBe(true);
    expect(await store.sweep?.()).toBe(false);
    expect(left()).toEqual({ logs: 1, forgotten: 0 });
    expect(await store.readLogs(taskId("b"), 1, 0, 1000)).toHaveLength(1);
  });
});
