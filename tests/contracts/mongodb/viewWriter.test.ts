/** How the writer of the MongoDB view writes: many documents with one command, and never over a newer one. */
import { type Db, MongoClient } from "mongodb";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OutgoingEntry, Write } from "../../../src/model/entry.ts";
import { changed, created, queueWrite, spec, TestJournal, taskId } from "../../../src/proof/contracts/storeJournal.ts";
import { parseAddress } from "../../../src/stores/mongodb/address.ts";
import { type Connection, connect } from "../../../src/stores/mongodb/connection.ts";
import { noDerived } from "../../../src/stores/mongodb/derived.ts";
import { DocumentWriter } from "../../../src/stores/mongodb/documentWriter.ts";
import { JournalCollection } from "../../../src/stores/mongodb/journal.ts";
import { Overlay, type Step, toStep } from "../../../src/stores/mongodb/overlay.ts";
import { findDeployment, type MongodbPlace } from "./place.ts";

const deployment = await findDeployment();
const many = 80;
const ids = Array.from({ length: many }, (_, index) => `t${index}`);

type Stored = { _id: string; [field: string]: unknown };

describe.skipIf(deployment === null)("the writer of the MongoDB view", () => {
  let place: MongodbPlace;
  let journal: TestJournal;
  let client: MongoClient;
  let db: Db;
  let connection: Connection;
  let writer: DocumentWriter;
  let ordMax = 0;

  beforeEach(async () => {
    place = deployment!.newPlace();
    const store = place.handle();
    await store.open();
    await store.close();
    journal = new TestJournal();
    client = new MongoClient(place.uri);
    db = client.db();
    connection = await connect(parseAddress(place.uri));
    writer = new DocumentWriter(connection, new JournalCollection(connection));
    ordMax = 0;
  });

  afterEach(async () => {
    await connection.client.close();
    await client.close();
    await place.remove();
  });

  /** An entry as its author hands it to the view. `again` are tasks that are there already and get a new spec. */
  function step(entry: OutgoingEntry, again: readonly string[] = []): Step {
    const isNew = ({ kind, ...write }: Write) => kind === "spec" && "spec" in write && !again.includes(write.spec.id);
    ordMax += entry.writes.filter(isNew).length;
    return toStep(entry, { ...noDerived, ordMax, again: again.map(taskId) });
  }

  async function write(...steps: Step[]): Promise<void> {
    const overlay = new Overlay();
    for (const one of steps) overlay.apply(one);
    await writer.write(overlay, steps);
  }

  const stored = (collection: "tasks" | "records") =>
    db.collection<Stored>(collection).find({}).sort({ _id: 1 }).toArray();

  /** Requests that the server has answered meanwhile, for whomever. */
  async function requestsDuring(work: () => Promise<void>): Promise<number> {
    const count = async () =>
      ((await db.admin().serverStatus()) as { readonly network: { readonly numRequests: number } }).network.numRequests;
    const before = await count();
    await work();
    return (await count()) - before;
  }

  test.skipIf(deployment?.server === null)(
    "documents of every kind take a few commands, however many they are",
    async () => {
      const queues = (isPaused: boolean) => ids.map((name) => queueWrite({ name, isPaused }));
      const forgotten = ids.map((id): Write => {
        return { kind: "forget-task", id: taskId(id), queue: "default", state: "success" };
      });
      const rewritten = ids.flatMap((id): Write[] => [{ kind: "spec", spec: spec(id, { priority: 3 }) }]);
      const steps = [
        step(journal.next(...ids.flatMap((id) => created(id)), ...queues(true))),
        step(journal.next(...queues(false), ...ids.map((id) => changed(id, "running")))),
        step(journal.next(...rewritten), ids),
        step(journal.next(...ids.map((id) => changed(id, "success")))),
        step(journal.next(...forgotten)),
      ];
      for (const one of steps) expect(await requestsDuring(() => write(one))).toBeLessThan(many / 2);
      expect((await stored("records")).map(({ seq }) => seq)).toEqual(ids.map(() => 2));
      expect((await stored("tasks")).map(({ state, outlast }) => [state, outlast])).toEqual(
        ids.map(() => ["forgotten", expect.objectContaining({ seq: 5 })]),
      );
      // A leader that was deposed long since, and wakes up.
      const before = [await stored("tasks"), await stored("records")];
      for (const one of steps) expect(await requestsDuring(() => write(one))).toBeLessThan(many / 2);
      expect([await stored("tasks"), await stored("records")]).toEqual(before);
    },
  );

  test("what a deposed leader inserts between the look and the insert gives way, and what a new one inserts stays", async () => {
    const older = step(journal.next(...created("a"), queueWrite({ name: "q", isPaused: true })));
    const forget: Write = { kind: "forget-task", id: taskId("a"), queue: "default", state: "success" };
    const newer = step(journal.next(forget, queueWrite({ name: "q", isPaused: false })));
    const rival = await connect(parseAddress(place.uri));
    const rivals = new DocumentWriter(rival, new JournalCollection(rival));
    const writeAsRival = async (one: Step) => {
      const overlay = new Overlay();
      overlay.apply(one);
      await rivals.write(overlay, [one]);
    };
    for (const [ours, theirs] of [
      [newer, older],
      [older, newer],
    ] as const) {
      for (const collection of [connection.tasks, connection.records]) {
        beforeInsert(collection, () => writeAsRival(theirs));
      }
      await write(ours);
      expect(await stored("records")).toMatchObject([{ seq: 2, value: expect.stringContaining("false") as unknown }]);
      expect(await stored("tasks")).toMatchObject([{ _id: "a", state: "forgotten", outlast: { seq: 2 } }]);
      await db.collection("tasks").deleteMany({});
      await db.collection("records").deleteMany({});
    }
    await rival.client.close();
  });

  test("a spec that was not written before its writer died is written by the next one", async () => {
    await write(step(journal.next(...created("a"))));
    const [before] = await stored("tasks");
    const again = step(journal.next({ kind: "spec", spec: spec("a", { name: "other" }) }, changed("a", "running")), [
      "a",
    ]);
    await write(again);
    const [after] = await stored("tasks");
    expect(after).toMatchObject({ taskname: "other", state: "running" });
    const { spec: text, specCrc } = before!["outlast"] as { readonly spec: string; readonly specCrc: number };
    // As an earlier version left it, which wrote the status first.
    const half = { taskname: "a", "outlast.spec": text, "outlast.specCrc": specCrc };
    await db.collection<Stored>("tasks").updateOne({ _id: "a" }, { $set: half, $unset: { "outlast.name": "" } });
    await write(again);
    expect(await stored("tasks")).toEqual([after]);
  });
});

/** Has something done just before the next insert into a collection. */
function beforeInsert(collection: object, work: () => Promise<void>): void {
  const methods = collection as { [name in "insertOne" | "insertMany"]: (...parts: unknown[]) => Promise<unknown> };
  const { insertOne, insertMany } = methods;
  let isDue = true;
  const around = (insert: typeof insertOne) =>
    async function (this: unknown, ...parts: unknown[]) {
      if (isDue) {
        isDue = false;
        await work();
      }
      return insert.apply(this, parts);
    };
  Object.assign(methods, { insertOne: around(insertOne), insertMany: around(insertMany) });
}

afterAll(() => deployment?.stop());
