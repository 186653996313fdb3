/** What a killed master left in its write-ahead log is there again, or the store is refused as it is: SQLite drops it in silence. */
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { StoreRefused } from "../../../src/ports/store.ts";
import { created, TestJournal } from "../../../src/proof/contracts/storeJournal.ts";
import { openDump } from "../../../src/stores/sqlite/dump.ts";
import { useStoreFolder } from "./storeFolder.ts";

const current = useStoreFolder();
const entries = 40;
const parts = ["", "-wal", "-shm"] as const;
const frameBytes = 24 + 8192;

type Change = (log: Buffer) => Buffer | null;
const flip =
  (at: (log: Buffer) => number): Change =>
  (log) => {
    const place = at(log);
    log.writeUInt8(log.readUInt8(place) ^ 0x40, place);
    return log;
  };
const damages: readonly (readonly [string, Change])[] = [
  ["a byte of its header is another one", flip(() => 17)],
  ["a byte of a page at its beginning is another one", flip(() => 1000)],
  ["a byte in its middle is another one", flip((log) => log.length >> 1)],
  ["a page in its middle is zeros", (log) => log.fill(0, 32 + 20 * frameBytes, 32 + 21 * frameBytes)],
];
const losses: readonly (readonly [string, Change])[] = [
  ["a byte of its last commit is another one", flip((log) => log.length - 3000)],
  ["it is cut in half", (log) => log.subarray(0, log.length >> 1)],
  ["only its header is there", (log) => log.subarray(0, 32)],
  ["it is empty", () => Buffer.alloc(0)],
  ["it is zeros", (log) => log.fill(0)],
  ["it is gone", () => null],
];

/** The three files as a killed master leaves them, with another log. */
async function killed(change: Change, { withIndex }: { withIndex: boolean }): Promise<string> {
  const store = current().newStore();
  await store.open();
  const journal = new TestJournal();
  for (let index = 0; index < entries; index += 1) await store.append(journal.next(...created(`task-${index}`)));
  const path = join(current().folder, "killed.db");
  for (const part of parts) copyFileSync(`${current().path}${part}`, `${path}${part}`);
  const log = change(readFileSync(`${path}-wal`));
  rmSync(`${path}-wal`);
  if (log !== null) writeFileSync(`${path}-wal`, log);
  if (!withIndex) rmSync(`${path}-shm`);
  return path;
}

const bytesOf = (path: string) =>
  parts.map((part) => (existsSync(`${path}${part}`) ? readFileSync(`${path}${part}`) : null));

async function expectRefused(path: string): Promise<void> {
  const before = bytesOf(path);
  const store = current().newStore(path);
  const error: unknown = await store.open().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StoreRefused);
  expect(error).toMatchObject({
    message: expect.stringContaining(`${path}-wal, the write-ahead log of the store,`) as string,
    hint: expect.stringContaining(`sqlite3 ${path} "PRAGMA wal_checkpoint(TRUNCATE)"`) as string,
  });
  // `outlast doctor` and `outlast move` find the same, and leave it to be found again.
  const { message, hint } = error as StoreRefused;
  expect(await store.verify()).toEqual([{ part: "file", message, advice: hint }]);
  await expect(openDump(path)).rejects.toEqual(error);
  expect(bytesOf(path)).toEqual(before);
}

describe("a log that has lost commits is refused, and left as it is:", () => {
  test.each([...damages, ...losses])("%s", async (_what, change) => {
    await expectRefused(await killed(change, { withIndex: true }));
  });

  test.each(damages)("also without its index: %s", async (_what, change) => {
    await expectRefused(await killed(change, { withIndex: false }));
  });

  test("until the operator has it go on without them", async () => {
    const path = await killed(
      flip((log) => log.length >> 1),
      { withIndex: true },
    );
    await expectRefused(path);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    const store = current().newStore(path);
    await store.open();
    expect((await store.readTail())?.seq).toBeLessThan(entries);
    expect(await store.verify()).toEqual([]);
  });
});

describe("what a crash may leave is opened:", () => {
  const whole: Change = (log) => log;

  test.each([
    ["an index", true],
    ["none", false],
  ])("a whole log with %s", async (_what, withIndex) => {
    const store = current().newStore(await killed(whole, { withIndex }));
    await store.open();
    expect((await store.readTail())?.seq).toBe(entries);
  });

  test("an index of garbage", async () => {
    const path = await killed(whole, { withIndex: true });
    writeFileSync(`${path}-shm`, Buffer.alloc(32768, 7));
    const store = current().newStore(path);
    await store.open();
    expect((await store.readTail())?.seq).toBe(entries);
  });

  test("a last commit that was written in part, and one that was never taken up", async () => {
    const torn: Change = (log) => {
      // Its last page, with the mark of the commit, is on the disk; the one before it is not.
      log.fill(0, log.length - 2 * frameBytes, log.length - frameBytes);
      return log;
    };
    const store = current().newStore(await killed(torn, { withIndex: false }));
    await store.open();
    expect((await store.readTail())?.seq).toBe(entries - 1);
  });

  test("a log that is gone once all of it was in the file", async () => {
    const path = await killed(whole, { withIndex: true });
    const live = current().path;
    const database = new DatabaseSync(live);
    database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    for (const part of ["", "-shm"]) copyFileSync(`${live}${part}`, `${path}${part}`);
    rmSync(`${path}-wal`);
    database.close();
    const store = current().newStore(path);
    await store.open();
    expect((await store.readTail())?.seq).toBe(entries);
  });

  test("a log that others write meanwhile", async () => {
    const first = current().newStore();
    await first.open();
    const journal = new TestJournal();
    for (let index = 0; index < 20; index += 1) {
      await first.append(journal.next(...created(`task-${index}`)));
      const second = current().newStore();
      await second.open();
      expect((await second.readTail())?.seq).toBe(index + 1);
      await second.close();
    }
  });
});
