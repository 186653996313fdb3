/** Which files the SQLite store opens, and how it refuses the others: with a reason, a hint, and without touching them. */
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { StoreRefused } from "../../../src/ports/store.ts";
import { changed, created, TestJournal, taskId } from "../../../src/proof/contracts/storeJournal.ts";
import type { SqliteStore } from "../../../src/stores/sqlite/store.ts";
import { useStoreFolder } from "./storeFolder.ts";

const current = useStoreFolder();

/** A closed file with some entries, and a text in the body of one of them that can be found in the file. */
async function fill(entries = 5): Promise<TestJournal> {
  const store = current().newStore();
  await store.open();
  const journal = new TestJournal();
  for (let index = 0; index < entries; index += 1)
    await store.append(journal.next(...created(`task-${index}`, { name: `marker-${index}-end` })));
  await store.close();
  return journal;
}

function changeBytes(search: string, replacement: string): void {
  const { path } = current();
  const bytes = readFileSync(path);
  let found = 0;
  // Wherever the text stands: in the entry's body and in the task's rows.
  for (let at = bytes.indexOf(search); at >= 0; at = bytes.indexOf(search, at + 1)) {
    bytes.write(replacement, at);
    found += 1;
  }
  expect(found).toBeGreaterThan(0);
  writeFileSync(path, bytes);
}

/** The sentence and the hint; the file must be as it was. */
async function refusal(store: SqliteStore = current().newStore(), path = current().path): Promise<string> {
  const before = readFileSync(path);
  const error: unknown = await store.open().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StoreRefused);
  expect(readFileSync(path).equals(before)).toBe(true);
  if (!(error instanceof StoreRefused)) return "";
  expect(error.hint).toMatch(/^[A-Z].*\.$/);
  return error.message;
}

describe("a damaged file is refused", () => {
  test.each([
    ["the last entry", "marker-4-end", "marker-X-end"],
    ["an entry before the last", "marker-2-end", "marker-X-end"],
    ["one that is no UTF-8 any more", "marker-3-end", "marker-\ufffd"],
  ])("with a changed body: %s", async (_what, search, replacement) => {
    await fill();
    changeBytes(search, replacement);
    expect(await refusal()).toMatch(/entry \d does not match its checksum/);
  });

  test("with an entry that is gone, and with one that another takes the place of", async () => {
    await fill();
    const database = new DatabaseSync(current().path);
    database.exec("DELETE FROM journal WHERE seq = 3");
    database.close();
    expect(await refusal()).toMatch(/after entry 2 comes entry 4/);
    const again = new DatabaseSync(current().path);
    const stranger = new TestJournal({ seq: 2, crc: 5 }).next();
    again
      .prepare("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, 3, ?)")
      .run(
        stranger.seq,
        stranger.epoch,
        stranger.nonce,
        stranger.at,
        stranger.format,
        stranger.previousCrc,
        stranger.crc,
        stranger.body,
      );
    again.close();
    expect(await refusal()).toMatch(/entry \d does not continue entry \d/);
  });

  test("with garbage at its beginning", async () => {
    await fill();
    changeBytes("SQLite format 3", "garbage garbage");
    expect(await refusal()).toMatch(/not a SQLite database/);
  });

  test("that is no database at all", async () => {
    writeFileSync(current().path, "[settings]\nthis is somebody's file\n");
    expect(await refusal()).toMatch(/not a SQLite database/);
  });

  test.each([0.95, 0.5, 0.1])("that was cut off at %d of its length", async (share) => {
    await fill(50);
    const { path } = current();
    truncateSync(path, Math.floor(statSync(path).size * share));
    expect(await refusal()).toMatch(/cut off|damaged/);
  });

  test("with a page of zeros in its middle", async () => {
    await fill(50);
    const { path } = current();
    const bytes = readFileSync(path);
    const middle = Math.floor(bytes.length / 2 / 8192) * 8192;
    bytes.fill(0, middle, middle + 8192);
    writeFileSync(path, bytes);
    expect(await refusal()).toMatch(/damaged/);
  });

  test("only where it matters: damage far behind the end is for `verify` to find, and reading it is refused", async () => {
    await fill(1100);
    changeBytes("marker-7-end", "marker-X-end");
    const store = current().newStore();
    await store.open();
    expect((await store.verify()).map((finding) => finding.message)).toContain("Entry 8 does not match its checksum.");
    await expect(store.readEntries(1, 10)).rejects.toBeInstanceOf(StoreRefused);
    expect(await store.readEntries(9, 10)).toHaveLength(10);
  });

  test("when a row is no JSON any more", async () => {
    await fill();
    const database = new DatabaseSync(current().path);
    database.exec(`UPDATE tasks SET status = '{"id":' WHERE id = 'task-1'`);
    database.close();
    const store = current().newStore();
    await store.open();
    await expect(store.readTask(taskId("task-1"))).rejects.toBeInstanceOf(StoreRefused);
    await expect(Array.fromAsync((await store.loadView([])).tasks)).rejects.toBeInstanceOf(StoreRefused);
  });
});

describe("a file that is not ours to use is refused", () => {
  test("a newer layout", async () => {
    await fill();
    const database = new DatabaseSync(current().path);
    database.exec("UPDATE meta SET value = '999' WHERE key = 'schema'");
    database.close();
    expect(await refusal()).toMatch(/newer version of Outlast \(layout 999/);
  });

  test("another program's database", async () => {
    const database = new DatabaseSync(current().path);
    database.exec("CREATE TABLE precious (data TEXT); INSERT INTO precious VALUES ('mine')");
    database.close();
    expect(await refusal()).toMatch(/not one of Outlast's/);
  });

  test("a folder in place of a file", async () => {
    mkdirSync(current().path);
    await expect(current().newStore().open()).rejects.toMatchObject({
      name: "StoreRefused",
      message: expect.stringContaining("not a file"),
    });
  });

  test("a folder that cannot be made or written", async () => {
    const file = join(current().folder, "file");
    writeFileSync(file, "");
    await expect(current().newStore(join(file, "outlast.db")).open()).rejects.toMatchObject({
      name: "StoreRefused",
      message: expect.stringContaining("cannot be written"),
    });
    await expect(current().newStore("/proc/outlast/outlast.db").open()).rejects.toMatchObject({ name: "StoreRefused" });
  });

  // The superuser may write everywhere.
  test.skipIf(process.getuid?.() === 0)("a folder without the right to write", async () => {
    const folder = join(current().folder, "closed");
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    await expect(current().newStore(join(folder, "outlast.db")).open()).rejects.toMatchObject({ name: "StoreRefused" });
  });
});

describe("opening", () => {
  test("makes missing folders, and a file that only its owner can read", async () => {
    const path = join(current().folder, "a", "b", "outlast.db");
    const store = current().newStore(path);
    const identity = await store.open();
    expect(identity.name).toBe(`sqlite ${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("takes an empty file as a new store", async () => {
    writeFileSync(current().path, "");
    const store = current().newStore();
    await store.open();
    expect(await store.readTail()).toBeNull();
  });

  test("syncs every commit and keeps a write-ahead log", async () => {
    const store = current().newStore();
    const { durability } = await store.open();
    expect(durability).toBe("WAL, synchronous=FULL");
    await store.append(new TestJournal().next(...created("a"), changed("a", "running")));
    expect(statSync(`${current().path}-wal`).size).toBeGreaterThan(0);
  });

  test("is refused twice, and everything is after closing", async () => {
    const store = current().newStore();
    await store.open();
    await expect(store.open()).rejects.toThrow("open already");
    await store.close();
    await store.close();
    await expect(store.readTail()).rejects.toThrow("not open");
  });

  test("closing ends a view that is being read", async () => {
    const store = current().newStore();
    await store.open();
    await store.append(new TestJournal().next(...created("a")));
    const view = await store.loadView([]);
    await store.close();
    await expect(Array.fromAsync(view.tasks)).rejects.toThrow();
  });
});
