/** Documents that anybody inserts into the collection `tasks`: adopted, run, marked or set aside, with real masters on a real server. */
import { type Db, MongoClient, type ObjectId } from "mongodb";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { Master } from "../../../src/master/master.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { changed, created, TestJournal, taskId } from "../../../src/proof/contracts/storeJournal.ts";
import { parseAddress } from "../../../src/stores/mongodb/address.ts";
import { connect } from "../../../src/stores/mongodb/connection.ts";
import { verifyStore } from "../../../src/stores/mongodb/verify.ts";
import { findDeployment, type MongodbPlace } from "./place.ts";

const deployment = await findDeployment();
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const soon = { timeout: 30_000 };

type Raw = { _id: string | number | ObjectId; [field: string]: unknown };

describe.skipIf(deployment === null)("tasks that somebody inserts", () => {
  let place: MongodbPlace;
  let client: MongoClient;
  let db: Db;
  const masters: Master[] = [];

  beforeEach(async () => {
    place = deployment!.newPlace();
    client = new MongoClient(place.uri);
    db = client.db();
    // The collections are there before the first master, as after any earlier run.
    const store = place.handle();
    await store.open();
    await store.close();
  });

  afterEach(async () => {
    for (const master of masters.splice(0)) await master.stop();
    await client.close();
    await place.remove();
  });

  async function startMaster(name = "m1"): Promise<Master> {
    const master = new Master({
      name,
      place: name,
      address: `http://${name}:1`,
      store: place.handle(),
      clock: new SystemClock(),
      ids: new SystemIds(),
      log: silent,
      probe: async () => "unknown",
      peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
    });
    masters.push(master);
    await master.start();
    await expect.poll(() => master.service.status().role, soon).toBe("leader");
    return master;
  }

  const tasks = () => db.collection<Raw>("tasks");
  const insert = (document: object) => tasks().insertOne(document as Raw);
  const task = (id: Raw["_id"]) => tasks().findOne({ _id: id });

  async function findings(): Promise<string[]> {
    for (const master of masters.splice(0)) await master.stop();
    const connection = await connect(parseAddress(place.uri));
    const found = await verifyStore(connection);
    await connection.client.close();
    return found;
  }

  test("a document with taskname, sleeptime and state becomes a task, and keeps what else stands in it", async () => {
    const { insertedId } = await insert({ taskname: "nap", sleeptime: 2.5, state: "created", team: "blue" });
    await tasks().insertOne({ _id: "own-id", taskname: "other", sleeptime: 0, state: "created" });
    const master = await startMaster();
    const id = taskId(String(insertedId));
    await expect
      .poll(() => master.service.readTask(id), soon)
      .toMatchObject({
        name: "nap",
        kind: "sleep",
        input: { seconds: 2.5 },
        state: "created",
        queue: "default",
      });
    await expect.poll(() => master.service.readTask(taskId("own-id")), soon).toMatchObject({ name: "other" });
    await expect
      .poll(() => task(insertedId), soon)
      .toMatchObject({ team: "blue", taskname: "nap", outlast: { state: "created" } });
    await master.service.cancel(id);
    await expect.poll(async () => (await task(insertedId))?.["state"], soon).toBe("cancelled");
    expect(await findings()).toEqual([]);
  });

  test.each([
    ["no name", { sleeptime: 1, state: "created" }, /taskname/],
    ["an empty name", { taskname: "", sleeptime: 1, state: "created" }, /name/],
    ["no time", { taskname: "x", state: "created" }, /sleeptime/],
    ["a negative time", { taskname: "x", sleeptime: -1, state: "created" }, /sleeptime/],
    ["another state", { taskname: "x", sleeptime: 1, state: "running" }, /state/],
    ["a number as its _id", { _id: 7, taskname: "x", sleeptime: 1, state: "created" }, /_id/],
    ["an _id that is no id", { _id: "a b", taskname: "x", sleeptime: 1, state: "created" }, /_id/],
    ["a private half", { taskname: "x", sleeptime: 1, state: "created", outlast: {} }, /outlast/],
  ])(
    "one with %s is marked with a readable error and left alone; mended, it is adopted",
    async (_what, document, error) => {
      const { insertedId } = await insert({ ...document });
      await tasks().insertOne({ _id: "good", taskname: "good", sleeptime: 1, state: "created" });
      const master = await startMaster();
      await expect.poll(() => master.service.readTask(taskId("good")), soon).not.toBeNull();
      await expect.poll(async () => (await task(insertedId))?.["error"], soon).toMatch(error);
      expect(await task(insertedId)).toMatchObject(document);
      if (typeof insertedId !== "object") return;
      await tasks().updateOne(
        { _id: insertedId },
        { $set: { taskname: "mended", sleeptime: 1, state: "created" }, $unset: { error: "", outlast: "" } },
      );
      const id = taskId(String(insertedId));
      await expect.poll(() => master.service.readTask(id), soon).toMatchObject({ name: "mended" });
    },
  );

  test("a look takes as many as were asked for, over several answers of the server, and marks what is no task among them", async () => {
    const documents = Array.from({ length: 250 }, (_, index) => ({
      ...{ _id: `d${index}`, taskname: "nap", state: "created" },
      ...(index % 100 === 50 ? {} : { sleeptime: 1 }),
    }));
    await tasks().insertMany(documents);
    const store = place.handle();
    await store.open();
    expect(await store.findForeign(1)).toHaveLength(1);
    const found = await store.findForeign(1_000);
    expect(new Set(found.map(({ id }) => id)).size).toBe(248);
    expect(await tasks().countDocuments({ error: /sleeptime/ })).toBe(2);
    expect(await store.findForeign(150)).toHaveLength(150);
    await store.close();
  });

  test("what was adopted by a leader that died before its documents followed is not adopted again, nor after it was forgotten", async () => {
    await tasks().insertOne({ _id: "a", taskname: "a", sleeptime: 1, state: "created" });
    await tasks().insertOne({ _id: "b", taskname: "b", sleeptime: 1, state: "created" });
    const store = place.handle();
    await store.open();
    const journal = new TestJournal();
    const adopted = (id: string) => created(id, { fingerprint: "f", adoptedFrom: "store" });
    await store.append(journal.next(...adopted("a"), ...adopted("b"), changed("b", "success")));
    await store.append(journal.next({ kind: "forget-task", id: taskId("b"), queue: "default", state: "success" }));
    await store.close();
    // As if it had died in between: the documents are as they were.
    await tasks().deleteMany({});
    await tasks().insertMany(["a", "b"].map((id) => ({ _id: id, taskname: id, sleeptime: 1, state: "created" })));
    await rewindView();
    const master = await startMaster();
    await expect.poll(() => task("a"), soon).toMatchObject({ outlast: { state: "created" } });
    await expect.poll(() => task("b"), soon).toMatchObject({ state: "forgotten" });
    expect(await master.service.readTask(taskId("b"))).toBeNull();
    const { tasks: listed } = await master.service.listTasks({ order: "oldest", cursor: null, limit: 10 });
    expect(listed.map(({ id }) => id)).toEqual(["a"]);
    expect(await db.collection("rejected").countDocuments()).toBe(0);
    expect(await findings()).toEqual([]);
  });

  test("a document that was changed between its adoption and its claim is kept aside, and the task stays as adopted", async () => {
    const store = place.handle();
    await store.open();
    await tasks().insertOne({ _id: "a", taskname: "a", sleeptime: 99, state: "created" });
    await store.append(new TestJournal().next(...created("a", { fingerprint: "f", adoptedFrom: "store" })));
    await expect.poll(() => task("a"), soon).toMatchObject({ sleeptime: 1, outlast: { state: "created" } });
    expect(await db.collection("rejected").find({}).toArray()).toMatchObject([
      { document: { _id: "a", sleeptime: 99 } },
    ]);
    await store.close();
  });

  test("a document that is put in the place of a task is kept aside, and the task is put there again", async () => {
    const master = await startMaster();
    await master.service.submit(
      [{ id: "a", kind: "sleep", input: { seconds: 5 }, startAt: Date.now() + 1_000_000 }],
      null,
    );
    await expect.poll(() => task("a"), soon).toMatchObject({ outlast: { state: "created" } });
    await tasks().replaceOne({ _id: "a" }, { taskname: "mine", sleeptime: 1, state: "created" } as object as Raw);
    await expect.poll(() => task("a"), soon).toMatchObject({ taskname: "a", outlast: { state: "created" } });
    expect(await db.collection("rejected").find({}).toArray()).toMatchObject([{ document: { taskname: "mine" } }]);
    expect(await master.service.readTask(taskId("a"))).toMatchObject({ input: { seconds: 5 } });
    expect(await findings()).toEqual([]);
  });

  async function rewindView(): Promise<void> {
    const { encodeDerived, noDerived } = await import("../../../src/stores/mongodb/derived.ts");
    await db.collection<Raw>("meta").updateOne({ _id: "view" }, { $set: { seq: 0, ...encodeDerived(0, noDerived) } });
  }
});

afterAll(() => deployment?.stop());
