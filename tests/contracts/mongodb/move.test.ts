/** A store that is moved from SQLite to MongoDB, and the tasks that are put in and read out without any master. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { MongoClient } from "mongodb";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WorkerId } from "../../../src/model/ids.ts";
import {
  changed,
  created,
  queueWrite,
  TestJournal,
  taskId,
  workerRecord,
  workerWrite,
} from "../../../src/proof/contracts/storeJournal.ts";
import { loadAll } from "../../../src/proof/contracts/storeViewContract.ts";
import { takeOver } from "../../../src/stores/mongodb/takeOver.ts";
import { openDump } from "../../../src/stores/sqlite/dump.ts";
import { SqliteStore } from "../../../src/stores/sqlite/store.ts";
import type { StoreDump } from "../../../src/stores/storeDump.ts";
import { findDeployment, type MongodbPlace } from "./place.ts";

const deployment = await findDeployment();
const forgetTask = (id: string) =>
  ({ kind: "forget-task", id: taskId(id), queue: "default", state: "success" }) as const;
const run = promisify(execFile);

describe.skipIf(deployment === null)("moving to MongoDB", () => {
  let place: MongodbPlace;
  let folder: string;
  let path: string;
  let sqlite: SqliteStore;

  beforeEach(async () => {
    place = deployment!.newPlace();
    folder = await mkdtemp(join(tmpdir(), "outlast-move-"));
    path = join(folder, "outlast.db");
    sqlite = new SqliteStore({ path, ids: place.ids });
    await sqlite.open();
  });

  afterEach(async () => {
    await sqlite.close();
    await rm(folder, { recursive: true });
    await place.remove();
  });

  async function fill(): Promise<TestJournal> {
    const journal = new TestJournal();
    await sqlite.append(journal.next({ kind: "marker", address: "http://a:1", collections: { workers: 1 } }));
    const ids = Array.from({ length: 30 }, (_, index) => `t${index}`);
    await sqlite.append(journal.next(...ids.flatMap((id) => created(id)), workerWrite(workerRecord("w"))));
    await sqlite.append(
      journal.next(
        changed("t1", "success"),
        changed("t2", "failed"),
        changed("t3", "running", { host: "w" as WorkerId }),
      ),
    );
    await sqlite.append(
      journal.next(
        forgetTask("t1"),
        queueWrite({ name: "default", isPaused: true }),
        ...created("t1", { name: "again" }),
      ),
    );
    await sqlite.appendLogs([
      {
        task: taskId("t3"),
        attempt: 1,
        offset: 0,
        at: 5,
        bytes: new TextEncoder().encode("hello"),
        isTruncated: false,
      },
    ]);
    await sqlite.compact(3, 10);
    return journal;
  }

  async function whatIsIn(store: Pick<SqliteStore, "loadView" | "listTasks" | "readEntries" | "readLogs">) {
    const { tasks, cursor } = await store.listTasks({ order: "oldest", cursor: null, limit: 20 });
    const view = await loadAll(store as SqliteStore);
    return {
      // Which of them come first is each store's own affair.
      view: { ...view, tasks: view.tasks.toSorted((one, other) => (one.head.id < other.head.id ? -1 : 1)) },
      tasks,
      rest: (await store.listTasks({ order: "oldest", cursor, limit: 20 })).tasks,
      entries: await store.readEntries(1, 100),
      logs: await store.readLogs(taskId("t3"), 1, 0, 1_000),
    };
  }

  test("everything is there afterwards, with its ids, its order and its history, and the journal goes on", async () => {
    const journal = await fill();
    const dump = await openDump(path);
    expect(await takeOver(dump, place.uri)).toMatchObject({ tasks: 30, entries: 2, records: 2, logs: 1, seq: 4 });
    dump.close();
    const store = place.handle();
    expect((await store.open()).incarnation).toBe("id-1");
    expect(await whatIsIn(store)).toEqual(await whatIsIn(sqlite));
    expect(await store.verify()).toEqual([]);
    expect(await store.append(journal.next(changed("t4", "running")))).toBe("committed");
    expect((await store.readTask(taskId("t4")))?.state).toBe("running");
    await store.close();
  });

  test("one that was interrupted is no store yet, and can be begun again", async () => {
    await fill();
    const dump = await openDump(path);
    const broken: StoreDump = {
      ...{ incarnation: dump.incarnation, collections: dump.collections, lease: dump.lease },
      entries: () => dump.entries(),
      *tasks() {
        let count = 0;
        for (const task of dump.tasks()) {
          count += 1;
          if (count > 10) throw new Error("interrupted");
          yield task;
        }
      },
      records: () => dump.records(),
      logs: () => dump.logs(),
      close: () => undefined,
    };
    await expect(takeOver(broken, place.uri)).rejects.toThrow("interrupted");
    await expect(place.handle().open()).rejects.toMatchObject({ name: "StoreRefused" });
    expect(await takeOver(dump, place.uri)).toMatchObject({ tasks: 30 });
    expect(await takeOver(dump, place.uri)).toMatchObject({ tasks: 30 });
    dump.close();
    const store = place.handle();
    await store.open();
    expect(await store.verify()).toEqual([]);
    await store.close();
  });

  test("what masters have worked on since it was moved is refused, and stays as it is", async () => {
    const journal = await fill();
    const dump = await openDump(path);
    await takeOver(dump, place.uri);
    const store = place.handle();
    await store.open();
    await store.append(journal.next(changed("t4", "success"), changed("t5", "success")));
    await store.append(journal.next(...["t4", "t5"].map((id) => forgetTask(id))));
    await expect(takeOver(dump, place.uri)).rejects.toMatchObject({ name: "StoreRefused" });
    await store.writeLease({
      epoch: 1,
      nonce: journal.nonce,
      beat: 1,
      address: "http://a:1",
      isResigned: true,
      ttlMs: 1,
    });
    await store.close();
    const client = new MongoClient(place.uri);
    // As it is once the notes of forgotten tasks are gone.
    await client.db().collection("tasks").deleteMany({ state: "forgotten" });
    await expect(takeOver(dump, place.uri)).rejects.toMatchObject({
      name: "StoreRefused",
      message: expect.stringContaining("since it was moved") as unknown,
    });
    dump.close();
    expect(await client.db().collection("tasks").countDocuments()).toBe(28);
    await client.close();
    await store.open();
    expect((await loadAll(store)).tasks).not.toHaveLength(0);
    await store.close();
  });

  test("a long journal goes in few commands, a large entry whole, and both may be interrupted", async () => {
    const journal = await fill();
    const large = "🦊".repeat(250_000);
    const all = Array.from({ length: 16 }, (_, index) => `large-${index}`);
    for (let index = 0; index < 400; index += 1) await sqlite.append(journal.next());
    await sqlite.append(journal.next(...all.flatMap((id) => created(id, { input: { seconds: 1, large } as never }))));
    for (let index = 0; index < 400; index += 1) await sqlite.append(journal.next());
    const dump = await openDump(path);
    const broken: StoreDump = {
      ...withFields(dump),
      *entries() {
        for (const entry of dump.entries()) {
          if (entry.entry.seq > 700) throw new Error("interrupted");
          yield entry;
        }
      },
    };
    await expect(takeOver(broken, place.uri)).rejects.toThrow("interrupted");
    const client = new MongoClient(place.uri);
    const copied = await client.db().collection("journal").countDocuments();
    // An index over what is there already might take longer than an answer is waited for.
    expect(await client.db().collection("tasks").indexes()).not.toHaveLength(1);
    const requests = async () =>
      ((await client.db().admin().serverStatus()) as { readonly network: { readonly numRequests: number } }).network
        .numRequests;
    const before = await requests();
    expect(await takeOver(dump, place.uri)).toMatchObject({ tasks: 46, entries: 803, seq: 805 });
    if (deployment?.server !== null) expect((await requests()) - before).toBeLessThan(100);
    await client.close();
    dump.close();
    expect(copied).toBeGreaterThan(300);
    const store = place.handle();
    await store.open();
    expect(await store.readEntries(1, 2_000)).toEqual(await sqlite.readEntries(1, 2_000));
    expect(await store.readTask(taskId("large-15"))).toMatchObject({ input: { large } });
    expect(await store.verify()).toEqual([]);
    await store.close();
  });

  test("a database with something else in it is left as it is", async () => {
    await fill();
    const store = place.handle();
    await store.open();
    await store.append(new TestJournal().next(...created("other")));
    await store.close();
    const dump = await openDump(path);
    // Another store's incarnation.
    await expect(takeOver({ ...withFields(dump), incarnation: "else" }, place.uri)).rejects.toMatchObject({
      name: "StoreRefused",
    });
    dump.close();
  });

  test("generate inserts the same tasks for the same seed, once, and export prints them", async () => {
    const outlast = (...words: string[]) => run(process.execPath, ["bin/outlast.js", ...words, "--store", place.uri]);
    const generate = ["generate", "--tasks", "20", "--max-sleep", "60", "--seed", "7"];
    expect((await outlast(...generate)).stdout).toContain("20 tasks inserted");
    expect((await outlast(...generate)).stdout).toContain("0 tasks inserted, 20 were there already");
    const lines = (await outlast("export")).stdout.trim().split("\n");
    const documents = lines.map((line) => JSON.parse(line) as { taskname: string; sleeptime: number; state: string });
    expect(documents).toHaveLength(20);
    for (const { taskname, sleeptime, state } of documents) {
      expect(taskname).toMatch(/^task-\d+$/);
      expect(sleeptime).toBeGreaterThanOrEqual(1);
      expect(sleeptime).toBeLessThanOrEqual(60);
      expect(state).toBe("created");
    }
  });

  test("move refuses while a leader lives, and does not while none does", async () => {
    await fill();
    const lease = { epoch: 1, nonce: "n" as never, address: "http://a:1", isResigned: false, ttlMs: 2_000 };
    let beat = 0;
    const beating = setInterval(() => void sqlite.writeLease({ ...lease, beat: (beat += 1) }), 200);
    await sqlite.writeLease({ ...lease, beat: 0 });
    const move = () => run(process.execPath, ["bin/outlast.js", "move", "--from", `sqlite:${path}`, "--to", place.uri]);
    await expect(move()).rejects.toMatchObject({
      stderr: expect.stringContaining("A master leads this store") as unknown,
    });
    clearInterval(beating);
    expect((await move()).stdout).toContain("moved 30 tasks");
  });
});

function withFields(dump: StoreDump): StoreDump {
  return {
    ...{ incarnation: dump.incarnation, collections: dump.collections, lease: dump.lease },
    entries: () => dump.entries(),
    tasks: () => dump.tasks(),
    records: () => dump.records(),
    logs: () => dump.logs(),
    close: () => undefined,
  };
}

afterAll(() => deployment?.stop());
