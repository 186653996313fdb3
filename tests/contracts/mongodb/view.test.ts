/** The view of the MongoDB store: repaired after a crash, written twice or late without harm, and edited by people. */
import { type Db, MongoClient } from "mongodb";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectionNames } from "../../../src/model/collections/table.ts";
import type { OutgoingEntry } from "../../../src/model/entry.ts";
import { entryCrc } from "../../../src/model/entryCrc.ts";
import { limits } from "../../../src/model/limits.ts";
import { changed, created, queueWrite, TestJournal, taskId } from "../../../src/proof/contracts/storeJournal.ts";
import { loadAll } from "../../../src/proof/contracts/storeViewContract.ts";
import { parseAddress } from "../../../src/stores/mongodb/address.ts";
import { connect } from "../../../src/stores/mongodb/connection.ts";
import { encodeDerived, noDerived } from "../../../src/stores/mongodb/derived.ts";
import { DocumentWriter } from "../../../src/stores/mongodb/documentWriter.ts";
import { JournalCollection } from "../../../src/stores/mongodb/journal.ts";
import { Overlay, toOutgoing, toStep } from "../../../src/stores/mongodb/overlay.ts";
import type { MongodbStore } from "../../../src/stores/mongodb/store.ts";
import { verifyStore } from "../../../src/stores/mongodb/verify.ts";
import { findDeployment, type MongodbPlace } from "./place.ts";

const deployment = await findDeployment();
const forget = (id: string) => ({ kind: "forget-task", id: taskId(id), queue: "default", state: "success" }) as const;

describe.skipIf(deployment === null)("the view of the MongoDB store", () => {
  let place: MongodbPlace;
  let store: MongodbStore;
  let journal: TestJournal;
  let client: MongoClient;
  let db: Db;

  beforeEach(async () => {
    place = deployment!.newPlace();
    store = place.handle();
    await store.open();
    journal = new TestJournal();
    client = new MongoClient(place.uri);
    db = client.db();
  });

  afterEach(async () => {
    await client.close();
    await store.close();
    await place.remove();
  });

  /** A history with everything in it: new, changed, ended, forgotten and reborn tasks, and records. */
  function history(): OutgoingEntry[] {
    return [
      journal.next(
        ...created("a"),
        ...created("b"),
        ...created("c", { queue: "q" }),
        queueWrite({ name: "q", isPaused: true }),
      ),
      journal.next(changed("a", "running"), changed("b", "success"), ...created("d")),
      journal.next(forget("b"), changed("c", "failed"), changed("a", "retrying")),
      journal.next(...created("b", { name: "again" }), forget("c"), queueWrite({ name: "q", isPaused: false })),
      journal.next(changed("d", "success"), changed("b", "running"), forget("d")),
    ];
  }

  /** As if every master had died between the entries and the view. */
  async function loseView(): Promise<void> {
    await store.close();
    await db.collection("tasks").deleteMany({});
    await db.collection("records").deleteMany({});
    await db
      .collection<{ _id: string }>("meta")
      .updateOne({ _id: "view" }, { $set: { seq: 0, ...encodeDerived(0, noDerived) } });
    await store.open();
  }

  async function rawTasks() {
    return db.collection("tasks").find({}).sort({ _id: 1 }).toArray();
  }

  async function rawTask(id: string) {
    return db.collection<{ _id: string; [field: string]: unknown }>("tasks").findOne({ _id: id });
  }

  async function findings(): Promise<string[]> {
    await store.close();
    const connection = await connect(parseAddress(place.uri));
    try {
      return await verifyStore(connection);
    } finally {
      await connection.client.close();
      await store.open();
    }
  }

  test("documents have the mission's fields at the top, and follow by themselves", async () => {
    await store.append(journal.next(...created("a", { name: "nap", input: { seconds: 2.5 } })));
    await expect
      .poll(() => rawTask("a"), { timeout: 20_000 })
      .toMatchObject({ taskname: "nap", sleeptime: 2.5, state: "created", host: null });
    await store.append(journal.next(changed("a", "running", { host: "w1" as never })));
    await expect.poll(() => rawTask("a"), { timeout: 20_000 }).toMatchObject({ state: "running", host: "w1" });
  });

  test("a view that nobody has written is seen through, and repaired by the next author", async () => {
    for (const entry of history()) await store.append(entry);
    const before = await loadAll(store);
    const listed = await store.listTasks({ order: "oldest", cursor: null, limit: 10 });
    await loseView();
    expect(await loadAll(store)).toEqual(before);
    expect(await store.listTasks({ order: "oldest", cursor: null, limit: 10 })).toEqual(listed);
    expect(await rawTasks()).toEqual([]);
    const heir = new TestJournal(await store.readTail(), "nonce-b", 2);
    await store.append(heir.next({ kind: "marker", address: "http://b:1", collections: {} }));
    await expect.poll(async () => (await rawTask("b"))?.["state"], { timeout: 20_000 }).toBe("running");
    expect(await findings()).toEqual([]);
    expect({ ...(await loadAll(store)), seq: before.seq, collections: null }).toEqual(before);
  });

  test("entries that are written to the view again, one by one and late, change nothing", async () => {
    const entries = history();
    for (const entry of entries) await store.append(entry);
    await store.close();
    const before = await rawTasks();
    const records = await db.collection("records").find({}).sort({ _id: 1 }).toArray();
    const connection = await connect(parseAddress(place.uri));
    const stored = new JournalCollection(connection);
    const writer = new DocumentWriter(connection, stored);
    for (const order of [entries, entries.toReversed(), [...entries.slice(2), ...entries.slice(0, 2)]]) {
      for (const { seq } of order) {
        const { entry, derived } = (await stored.at(seq))!;
        const step = toStep(toOutgoing(entry), derived);
        const overlay = new Overlay();
        overlay.apply(step);
        await writer.write(overlay, [step]);
      }
      expect(await rawTasks()).toEqual(before);
      expect(await db.collection("records").find({}).sort({ _id: 1 }).toArray()).toEqual(records);
    }
    await connection.client.close();
    await store.open();
  });

  test("forgetting leaves a note for a day, and then nothing", async () => {
    const day = 24 * 60 * 60 * 1000;
    await store.append(journal.next(...created("a"), changed("a", "success")));
    await store.append(journal.next(forget("a")));
    await store.sweep();
    await expect.poll(async () => (await rawTask("a"))?.["state"], { timeout: 20_000 }).toBe("forgotten");
    const noted = await rawTask("a");
    const late = new TestJournal(await store.readTail(), "nonce-a", 1).next();
    await store.append({ ...late, at: late.at + 2 * day, ...crcOf({ ...late, at: late.at + 2 * day }) });
    expect(await store.sweep()).toBe(false);
    expect(noted).toMatchObject({ outlast: { seq: 2 } });
    expect(await rawTask("a")).toBeNull();
  });

  test("of many old notes some go at a time, without a pause until all are gone", async () => {
    const outlast = { seq: 1, state: "forgotten", goneAt: 1_000 };
    const notes = Array.from({ length: 2 * limits.storeStepRowsMax + 1 }, (_, index) => ({
      _id: `t${index}`,
      outlast,
    }));
    await db.collection<{ _id: string }>("tasks").insertMany(notes);
    await store.append(journal.next());
    expect([await store.sweep(), await store.sweep(), await store.sweep()]).toEqual([true, true, false]);
    expect(await rawTasks()).toEqual([]);
  });

  test("notes are found by when they were made, not by a look at all that there is", async () => {
    await store.append(journal.next(...created("a")));
    await store.sweep();
    const keysOf = async (name: string) => (await db.collection(name).indexes()).map(({ key }) => key);
    expect(await keysOf("records")).toContainEqual({ goneAt: 1 });
    expect(await keysOf("tasks")).toContainEqual({ "outlast.goneAt": 1 });
  });

  test("what people edit at the top is never believed, and written anew with the next change", async () => {
    await store.append(journal.next(...created("a"), ...created("b")));
    await expect.poll(rawTasks, { timeout: 20_000 }).toHaveLength(2);
    await db
      .collection("tasks")
      .updateMany({}, { $set: { state: "success", taskname: "x", host: "nobody", queue: "other" } });
    const other = place.handle();
    await other.open();
    expect((await loadAll(other)).tasks.map(({ status }) => status.state)).toEqual(["created", "created"]);
    expect(await other.readTask(taskId("a"))).toMatchObject({ name: "a", state: "created", queue: "default" });
    await other.close();
    await store.append(journal.next(changed("a", "running")));
    await expect.poll(async () => (await rawTask("a"))?.["state"], { timeout: 20_000 }).toBe("running");
  });

  test.each([
    ["a status", { "outlast.status": '{"id":"a","state":"success"}' }],
    ["a spec", { "outlast.spec": "{}" }],
    ["a place", { "outlast.ord": 99 }],
  ])("%s that somebody changed is refused, and the task is named", async (_what, change) => {
    await store.append(journal.next(...created("a")));
    await expect.poll(rawTasks, { timeout: 20_000 }).toHaveLength(1);
    await store.close();
    await db.collection<{ _id: string }>("tasks").updateOne({ _id: "a" }, { $set: change });
    await store.open();
    await expect(store.readTask(taskId("a"))).rejects.toMatchObject({
      name: "StoreRefused",
      message: expect.stringContaining("task a") as unknown,
    });
  });

  test("a document that somebody removed is made again from the journal, by a leader at work and by one that starts", async () => {
    await store.append(journal.next(...created("a"), ...created("b"), ...created("c")));
    await expect.poll(rawTasks, { timeout: 20_000 }).toHaveLength(3);
    await db.collection<{ _id: string }>("tasks").deleteOne({ _id: "a" });
    await store.append(journal.next(changed("a", "running")));
    await expect.poll(async () => (await rawTask("a"))?.["state"], { timeout: 20_000 }).toBe("running");
    await store.close();
    await db.collection<{ _id: string }>("tasks").deleteOne({ _id: "b" });
    await store.open();
    expect((await loadAll(store)).tasks.map(({ head }) => head.id)).toEqual(["a", "b", "c"]);
    expect(await findings()).toEqual([]);
  });

  test("a leader does not start where a document is missing that the journal no longer has", async () => {
    await store.append(journal.next(...created("a"), ...created("b")));
    await store.append(journal.next());
    await store.compact(2, 10);
    await store.close();
    await db.collection<{ _id: string }>("tasks").deleteOne({ _id: "a" });
    await store.open();
    await expect(store.loadView(collectionNames)).rejects.toMatchObject({ name: "StoreRefused" });
  });

  test("a document that has the id of a task is kept aside, and ours is written", async () => {
    await db.collection<{ _id: string }>("tasks").insertOne({ _id: "a", note: "mine" } as { _id: string });
    await store.append(journal.next(...created("a"), ...created("b")));
    await expect.poll(() => rawTask("a"), { timeout: 20_000 }).toMatchObject({ taskname: "a", state: "created" });
    expect(await db.collection("rejected").find({}).toArray()).toMatchObject([
      { reason: expect.stringMatching(/_id/) as unknown, document: { _id: "a", note: "mine" } },
    ]);
    expect(await findings()).toEqual([]);
  });
});

/** The checksum of a changed entry. */
function crcOf(entry: OutgoingEntry): { readonly crc: number } {
  return { crc: entryCrc(entry) };
}

afterAll(() => deployment?.stop());
