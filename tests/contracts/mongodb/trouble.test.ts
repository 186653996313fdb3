/** What is MongoDB's own: outcomes that nobody knows, a server that dies or steps down, a leader whose insert comes too late. */
import { type Db, MongoClient } from "mongodb";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { OutgoingEntry } from "../../../src/model/entry.ts";
import { StoreUnavailable } from "../../../src/ports/store.ts";
import { changed, created, TestJournal, taskId } from "../../../src/proof/contracts/storeJournal.ts";
import { loadAll } from "../../../src/proof/contracts/storeViewContract.ts";
import { parseAddress } from "../../../src/stores/mongodb/address.ts";
import { Appender } from "../../../src/stores/mongodb/appender.ts";
import { connect } from "../../../src/stores/mongodb/connection.ts";
import { examineMongodb } from "../../../src/stores/mongodb/examine.ts";
import { JournalCollection } from "../../../src/stores/mongodb/journal.ts";
import { MongodbStore } from "../../../src/stores/mongodb/store.ts";
import { verifyStore } from "../../../src/stores/mongodb/verify.ts";
import { ViewWriter } from "../../../src/stores/mongodb/viewWriter.ts";
import { JournalWindow } from "../../../src/stores/mongodb/window.ts";
import { findDeployment, type MongodbPlace } from "./place.ts";

const deployment = await findDeployment();
/** Failures can be injected, and the process killed, only on a server that is ours. */
const server = deployment?.server ?? null;

describe.skipIf(server === null)("a MongoDB server in trouble", () => {
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
    client = new MongoClient(place.uri, { appName: "observer" });
    db = client.db();
  });

  afterEach(async () => {
    await client.db("admin").command({ configureFailPoint: "failCommand", mode: "off" });
    await client.close();
    await store.close();
    await place.remove();
  });

  const fail = (data: object, times = 1, appName = "outlast") =>
    client.db("admin").command({ configureFailPoint: "failCommand", mode: { times }, data: { appName, ...data } });

  const wtimeout = { code: 64, codeName: "WriteConcernTimeout", errmsg: "waiting for replication timed out" };

  test.each([
    "journal=false",
    "j=false&w=1",
    "w=0",
    "wtimeoutMS=1",
    "readConcernLevel=local",
    "ReadPreference=secondary&maxStalenessSeconds=120&retryWrites=true",
  ])("how a write and a read are made is fixed, whatever the address says: %s", async (options) => {
    const mark = place.uri.includes("?") ? "&" : "?";
    const connection = await connect(parseAddress(`${place.uri}${mark}${options}&appName=other`));
    const { readConcern, writeConcern, readPreference } = connection.journal;
    expect(readConcern?.level).toBe("majority");
    expect(writeConcern).toMatchObject({ w: "majority", journal: true });
    expect(writeConcern?.wtimeoutMS).toBeUndefined();
    expect(readPreference?.mode).toBe("primary");
    expect(connection.client.options).toMatchObject({ retryWrites: false, appName: "other" });
    await connection.client.close();
  });

  test("an insert that waits too long for the majority is unknown; appended again, its own entry is found", async () => {
    const entry = journal.next(...created("a"));
    await fail({ failCommands: ["insert"], writeConcernError: wtimeout });
    await expect(store.append(entry)).rejects.toMatchObject({ name: "StoreUnavailable", reason: "timeout" });
    expect(await store.append(entry)).toBe("taken");
    expect((await store.readEntries(1, 1))[0]?.crc).toBe(entry.crc);
    expect((await store.readTask(taskId("a")))?.state).toBe("created");
    expect(await store.append(journal.next(changed("a", "running")))).toBe("committed");
    await expect.poll(() => storedState("a"), { timeout: 20_000 }).toBe("running");
  });

  test("a duplicate whose write concern fails as well is unknown: what refused it may be rolled back", async () => {
    const rival = place.handle();
    await rival.open();
    const rivals = new TestJournal(null, "nonce-b");
    expect(await rival.append(rivals.next())).toBe("committed");
    // Both believe that they wrote the entry before, so nothing but the insert decides.
    const ours = new TestJournal(await store.readTail(), "nonce-b", 1).next(...created("a"));
    const theirs = rivals.next(...created("b"));
    expect(await store.append(ours)).toBe("committed");
    await fail({ failCommands: ["insert"], writeConcernError: wtimeout });
    await expect(rival.append(theirs)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await rival.append(theirs)).toBe("taken");
    await rival.close();
  });

  test.each([
    ["closeConnection", { closeConnection: true }, "network"],
    ["NotWritablePrimary", { errorCode: 10_107 }, "server"],
    ["PrimarySteppedDown", { errorCode: 189 }, "server"],
    ["ShutdownInProgress", { errorCode: 91 }, "server"],
    ["OutOfDiskSpace", { errorCode: 14_031 }, "full"],
    ["MaxTimeMSExpired", { errorCode: 50 }, "timeout"],
  ])("%s leaves the outcome unknown, and the same bytes can be appended again", async (_name, failure, reason) => {
    await store.append(journal.next());
    const entry = journal.next(...created("a"));
    await fail({ failCommands: ["insert"], ...failure });
    await expect(store.append(entry)).rejects.toMatchObject({ name: "StoreUnavailable", reason });
    expect(await store.append(entry)).toBe("committed");
    expect((await store.readTask(taskId("a")))?.state).toBe("created");
  });

  test("a primary that steps down refuses, and takes writes again when it is back", async () => {
    await store.append(journal.next());
    const entry = journal.next(...created("a"));
    await client
      .db("admin")
      .command({ replSetStepDown: 1, force: true })
      .catch(() => undefined);
    await expect(store.append(entry)).rejects.toBeInstanceOf(StoreUnavailable);
    expect(await persist(store, entry)).toBe("committed");
  });

  test("trouble while the view is written is made good, and reads show every entry meanwhile", async () => {
    await store.append(journal.next(...created("a"), ...created("b")));
    await fail({ failCommands: ["update", "insert"], errorCode: 91 }, 3);
    expect((await store.readTask(taskId("a")))?.state).toBe("created");
    expect((await store.listTasks({ order: "oldest", cursor: null, limit: 10 })).tasks).toHaveLength(2);
    await expect.poll(() => storedState("a"), { timeout: 20_000 }).toBe("created");
    await store.close();
    expect(await findings()).toEqual([]);
    await store.open();
  });

  test("what was acknowledged survives a server that is killed again and again, in the journal and in the view", async () => {
    const acknowledged: OutgoingEntry[] = [];
    const isDone = { value: false };
    const appending = (async () => {
      for (let index = 0; !isDone.value; index += 1) {
        const end = index === 0 ? [] : [changed(`t${index - 1}`, index % 3 === 0 ? "success" : "running")];
        const entry = journal.next(...created(`t${index}`), ...end);
        const outcome = await persist(store, entry);
        if (outcome === "taken") expect((await readSurely(store, entry.seq))?.crc).toBe(entry.crc);
        acknowledged.push(entry);
      }
    })();
    for (let round = 0; round < 2; round += 1) {
      const wanted = acknowledged.length + 10;
      await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(wanted);
      await server!.kill();
      await server!.start();
    }
    isDone.value = true;
    await appending;
    const other = place.handle();
    await other.open();
    const seen = await other.readEntries(1, 10_000);
    expect(seen.map(({ seq, crc }) => [seq, crc])).toEqual(acknowledged.map(({ seq, crc }) => [seq, crc]));
    const view = await loadAll(other);
    expect(view.seq).toBe(acknowledged.length);
    await other.close();
    await store.close();
    expect(await findings()).toEqual([]);
    await store.open();
  });

  test("a leader that slept finds its slot taken, although all entries there are compacted away", async () => {
    await store.append(journal.next(...created("a")));
    const sleeping = journal.next(...created("ghost"));
    const heir = place.handle();
    await heir.open();
    const later = new TestJournal(await store.readTail(), "nonce-b", 2);
    for (let index = 0; index < 6; index += 1) await heir.append(later.next());
    while ((await heir.compact(1_000, 2)) > 0);
    expect((await heir.readEntries(1, 10)).map(({ seq }) => seq)).toEqual([7]);
    expect(await store.append(sleeping)).toBe("taken");
    expect(await store.readEntries(1, 1)).toMatchObject([{ seq: 7, nonce: "nonce-b" }]);
    expect(await heir.readTask(taskId("ghost"))).toBeNull();
    await heir.close();
  });

  test("a marker that arrives after its slot was compacted away is withdrawn, and nobody sees it", async () => {
    for (let index = 0; index < 3; index += 1) await store.append(journal.next());
    const connection = await connect(parseAddress(place.uri));
    const slow = new SlowJournal(connection);
    const window = new JournalWindow(connection, slow);
    const late = new Appender(connection, slow, window, new ViewWriter(connection, slow, window));
    const marker = new TestJournal(await store.readTail(), "nonce-late", 2).next(...created("ghost"));
    const answer = late.append(marker);
    await slow.isInserting.promise;
    for (let index = 0; index < 4; index += 1) await store.append(journal.next());
    expect(await store.compact(1_000, 1_000)).toBeGreaterThan(3);
    slow.mayInsert.resolve();
    await slow.hasInserted.promise;
    expect((await store.readEntries(4, 10)).map(({ seq }) => seq)).toEqual([7]);
    expect((await store.readEntries(4, 1)).map(({ seq }) => seq)).toEqual([7]);
    slow.mayGoOn.resolve();
    expect(await answer).toBe("taken");
    expect(await db.collection("journal").countDocuments({ nonce: "nonce-late" })).toBe(0);
    expect(await store.append(journal.next())).toBe("committed");
    await connection.client.close();
  });

  test("an entry that is too large for one document is kept whole", async () => {
    const large = "🦊".repeat(4_500_000);
    await store.append(journal.next(...created("a", { input: { seconds: 1, large } as never })));
    expect((await store.readEntries(1, 1))[0]?.body).toContain(large);
    expect(await store.append(journal.next(...created("b")))).toBe("committed");
    const other = place.handle();
    await other.open();
    expect((await other.readTail())?.seq).toBe(2);
    await other.close();
  });

  test("credentials and hosts that nobody reaches are told in a sentence without the password", async () => {
    const uri = "mongodb://someone:se%3Acret@127.0.0.1:1/outlast?directConnection=true&serverSelectionTimeoutMS=100";
    const away = new MongodbStore({ uri, ids: place.ids });
    const error: unknown = await away.open().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "StoreRefused", hint: expect.stringMatching(/./) });
    expect(JSON.stringify([String(error), error])).not.toMatch(/se%3Acret|se:cret|someone/);
    expect(() => parseAddress("mongodb://user:hunter2@/x y")).toThrow(expect.not.stringContaining("hunter2") as Error);
  });

  test("doctor refuses a server that does not do what it must, and says why", async () => {
    expect((await examineMongodb(place.uri)).every(({ isGood }) => isGood)).toBe(true);
    await fail({ failCommands: ["insert"], errorCode: 8, codeName: "UnknownError" }, 1_000);
    const checks = await examineMongodb(place.uri);
    expect(checks.filter(({ isGood }) => !isGood).length).toBeGreaterThan(1);
    for (const { isGood, advice } of checks) if (!isGood) expect(advice).toMatch(/server/);
  });

  async function storedState(id: string): Promise<unknown> {
    return (await db.collection<{ _id: string; state?: string }>("tasks").findOne({ _id: id }))?.state;
  }

  async function findings(): Promise<string[]> {
    const connection = await connect(parseAddress(place.uri));
    try {
      return await verifyStore(connection);
    } finally {
      await connection.client.close();
    }
  }
});

/** A journal whose insert takes its time on the way there and on the way back. */
class SlowJournal extends JournalCollection {
  readonly isInserting = Promise.withResolvers<void>();
  readonly mayInsert = Promise.withResolvers<void>();
  readonly hasInserted = Promise.withResolvers<void>();
  readonly mayGoOn = Promise.withResolvers<void>();

  override async insert(...entry: Parameters<JournalCollection["insert"]>): Promise<"inserted" | "taken"> {
    this.isInserting.resolve();
    await this.mayInsert.promise;
    const outcome = await super.insert(...entry);
    this.hasInserted.resolve();
    await this.mayGoOn.promise;
    return outcome;
  }
}

/** As a leader does: the same bytes until the outcome is known. */
function persist(store: MongodbStore, entry: OutgoingEntry): Promise<"committed" | "taken"> {
  return vi.waitFor(() => store.append(entry), { timeout: 60_000, interval: 20 });
}

function readSurely(store: MongodbStore, seq: number) {
  return vi.waitFor(async () => (await store.readEntries(seq, 1))[0], { timeout: 60_000, interval: 20 });
}

afterAll(() => deployment?.stop());
