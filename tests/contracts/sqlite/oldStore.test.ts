/** A store that version 0.1.0 left behind is read by a standby as it is, migrated by the leader only, and worked on to its end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Scheduler } from "../../../src/core/scheduler/scheduler.ts";
import { CollectionGaps } from "../../../src/master/journal/collectionGaps.ts";
import { Follower } from "../../../src/master/journal/follower.ts";
import { decodeEntry, encodeEntry, positionOf } from "../../../src/master/journal/journal.ts";
import { Master } from "../../../src/master/master.ts";
import { collectionVersions } from "../../../src/model/collections/table.ts";
import type { Nonce, SessionId, TaskId, WorkerId } from "../../../src/model/ids.ts";
import { limits } from "../../../src/model/limits.ts";
import type { Assignment } from "../../../src/model/protocol.ts";
import { isFinal, type TaskDocument } from "../../../src/model/task.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { created } from "../../../src/proof/contracts/storeJournal.ts";
import { loadAll } from "../../../src/proof/contracts/storeViewContract.ts";
import { attachRequest } from "../../../src/proof/fakes/attachRequest.ts";
import { FakeClock } from "../../../src/proof/fakes/fakeClock.ts";
import { currentLayout, versionOf } from "../../../src/stores/sqlite/schema.ts";
import { SqliteStore } from "../../../src/stores/sqlite/store.ts";
import { ThreadedSqliteStore } from "../../../src/stores/sqlite/threadedStore.ts";

const fixture = join(import.meta.dirname, "../../fixtures/store-0.1.0");

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-old-store-"));
  path = join(folder, "outlast.db");
  for (const file of ["outlast.db", "outlast.db-wal"])
    writeFileSync(join(folder, file), gunzipSync(readFileSync(join(fixture, `${file}.gz`))));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function openStore(): Promise<SqliteStore> {
  const store = new SqliteStore({ path, ids: new SystemIds() });
  await store.open();
  return store;
}

function layout(): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const version = versionOf(database, path);
  database.close();
  return version;
}

async function allTasks(store: SqliteStore): Promise<Map<string, TaskDocument>> {
  const { tasks } = await store.listTasks({ order: "oldest", cursor: null, limit: limits.pageMax });
  return new Map(tasks.map((task) => [task.id, task]));
}

/** The marker of a master of this version, ready to be appended. */
async function nextMarker(store: SqliteStore) {
  const position = positionOf((await store.readTail())!);
  const author = { epoch: position.epoch + 1, nonce: "leader" as Nonce };
  return encodeEntry(position, author, 1, [
    { kind: "marker", address: "http://leader:1", collections: collectionVersions },
  ]);
}

const records = (loaded: Awaited<ReturnType<typeof loadAll>>) =>
  loaded.records.map(({ collection, id }) => `${collection}/${id}`);

describe("a store of version 0.1.0", () => {
  test("is read by a standby, which leaves its layout alone", async () => {
    const store = await openStore();
    const view = await loadAll(store);
    expect(records(view)).toEqual(["queues/opened-again", "queues/paused", "workers/w1", "workers/w2", "workers/w3"]);
    expect(view.collections).toBeNull();
    expect(view.tasks).toHaveLength(7);
    expect((await allTasks(store)).size).toBe(11);
    expect(await store.readRecord("workers", "w3")).toMatchObject({ state: "gone" });
    expect((await store.listRecords("queues", { limit: 1 })).isMore).toBe(true);
    expect(await store.verify()).toEqual([]);
    await store.close();
    expect(layout()).toBe(2);
  });

  test("has a journal whose entries, replayed, give the memory that its view gives", async () => {
    const store = await openStore();
    const replayed = new Scheduler();
    const entries = await store.readEntries(1, limits.entriesPerReadMax);
    expect(entries.every(({ format }) => format === 1)).toBe(true);
    for (const entry of entries) for (const write of decodeEntry(entry)) replayed.apply(write, entry.at);
    expect(replayed.hasDrifted).toBe(false);
    const follower = new Follower({
      store,
      clock: new FakeClock(),
      settings: {},
      gaps: new CollectionGaps(),
      onDrift: () => undefined,
    });
    await follower.catchUp(() => undefined);
    expect(follower.scheduler.digest).toEqual(replayed.digest);
    for (const part of ["tasks", "queues", "workers"]) expect(replayed.digest[part]).not.toBe(0);
    await store.close();
  });

  test("is migrated behind a leader's marker and by nobody else, with nothing lost", async () => {
    const [store, standby] = [await openStore(), await openStore()];
    const before = await loadAll(store);
    const tasks = await allTasks(store);
    const marker = await nextMarker(store);
    expect(await store.migrate(marker)).toBe("taken");
    expect(await store.append(marker)).toBe("committed");
    const early = encodeEntry(positionOf(marker), marker, 2, created("too-early"));
    await expect(store.append(early)).rejects.toThrow("before the store was migrated");
    expect(layout()).toBe(2);
    expect(await store.migrate(marker)).toBe("migrated");
    expect(layout()).toBe(currentLayout);
    for (const reader of [store, standby]) {
      const after = await loadAll(reader);
      expect(after).toEqual({ ...before, seq: marker.seq, collections: collectionVersions });
      expect(await allTasks(reader)).toEqual(tasks);
      expect(await reader.readRecord("queues", "paused")).toEqual({ name: "paused", isPaused: true });
      expect((await reader.listRecords("workers", { limit: 10 })).records.map(({ id }) => id)).toEqual([
        "w1",
        "w2",
        "w3",
      ]);
    }
    expect(await store.verify()).toEqual([]);
    const database = new DatabaseSync(path, { readOnly: true });
    // What a master of version 0.1.0 asks first.
    expect(() => database.prepare("SELECT worker FROM workers").all()).toThrow("upgrade this master");
    database.close();
    const ended = [...tasks.values()].filter(({ state }) => isFinal(state));
    const inOrder = ended.toSorted((one, other) => one.changedAt - other.changedAt).map(({ id }) => id);
    const expired = await store.findExpired({ endedBefore: Number.MAX_SAFE_INTEGER, keepMax: 1000 }, 100);
    expect(expired.map(({ id }) => id)).toEqual(inOrder);
    // The standby, too, can take over: its file was migrated by somebody else.
    const second = encodeEntry(positionOf(marker), { epoch: marker.epoch + 1, nonce: "second" as Nonce }, 3, [
      { kind: "marker", address: "http://second:1", collections: collectionVersions },
    ]);
    expect(await standby.append(second)).toBe("committed");
    expect(await standby.migrate(second)).toBe("migrated");
    expect(await standby.append(encodeEntry(positionOf(second), second, 4, created("new")))).toBe("committed");
    expect(await standby.verify()).toEqual([]);
    await store.close();
    await standby.close();
  });

  test("stays as it is where the leader is deposed before it has migrated", async () => {
    const [store, rival] = [await openStore(), await openStore()];
    const marker = await nextMarker(store);
    await store.append(marker);
    const rivals = encodeEntry(positionOf(marker), { epoch: marker.epoch + 1, nonce: "rival" as Nonce }, 2, [
      { kind: "marker", address: "http://rival:1", collections: collectionVersions },
    ]);
    await rival.append(rivals);
    expect(await store.migrate(marker)).toBe("taken");
    expect(layout()).toBe(2);
    await store.close();
    await rival.close();
  });

  test("is led on: what was running runs again, what was waiting starts, and every task ends", async () => {
    const store = await openStore();
    const before = await allTasks(store);
    const master = new Master({
      name: "m",
      address: "http://m:1",
      store: new ThreadedSqliteStore({ path, ids: new SystemIds() }),
      clock: new SystemClock(),
      ids: new SystemIds(),
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      probe: async () => "unknown",
      peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
    });
    await master.start();
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(() => master.service.status().role === "leader");
    await master.service.setQueue("paused", { isPaused: false });
    const workers = ["w1", "w2"].map((id) => new OldWorker(id as WorkerId, master));
    for (const worker of workers) await worker.attach();
    await until(() => workers.reduce((sum, { finished }) => sum + finished.size, 0) === 7);
    const after = await allTasks(store);
    expect([...after.keys()]).toEqual([...before.keys()]);
    const states = Object.fromEntries(
      [...after].map(([id, { state, attempt, kills }]) => [id, `${state} ${attempt} ${kills}`]),
    );
    expect(states).toEqual({
      "finished-1": "success 1 0",
      "finished-2": "success 1 0",
      failed: "failed 1 0",
      cancelled: "cancelled 0 0",
      retrying: "success 2 0",
      delayed: "success 1 0",
      "waiting-in-a-paused-queue": "success 1 0",
      "running-1": "success 2 1",
      "running-2": "success 2 1",
      "running-3": "success 2 1",
      created: "success 1 0",
    });
    for (const id of ["finished-1", "finished-2", "failed", "cancelled"]) expect(after.get(id)).toEqual(before.get(id));
    const [output] = await store.readLogs("finished-1" as TaskId, 1, 0, 1000);
    expect(Buffer.from(output!.bytes).toString()).toBe("hello from the old version\n");
    expect(await store.verify()).toEqual([]);
    await master.stop();
    await store.close();
    expect(layout()).toBe(currentLayout);
  });
});

/** A new process under the name of a worker of that store: it ends whatever it is given. */
class OldWorker {
  readonly id: WorkerId;
  readonly finished = new Set<string>();
  readonly #master: Master;
  #session = "" as SessionId;
  #epoch = 0;

  constructor(id: WorkerId, master: Master) {
    this.id = id;
    this.#master = master;
  }

  async attach(): Promise<void> {
    const { service } = this.#master;
    const queues = ["default", "reports", "paused"];
    const answer = await service.attach(this.id, attachRequest({ queues, capacity: 2 }), "127.0.0.1");
    this.#session = answer.session;
    this.#epoch = answer.epoch;
    service.openStream(this.id, answer.session, {
      send: (message) => {
        if (message.kind === "assign") for (const each of message.assignments) void this.#finish(each);
      },
      close: () => undefined,
    });
  }

  async #finish({ task, attempt, assignedAt }: Assignment): Promise<void> {
    const { boot } = attachRequest({});
    await this.#master.service.report(this.id, {
      boot,
      session: this.#session,
      epoch: this.#epoch,
      items: [
        {
          kind: "result",
          task,
          attempt,
          assignedAt,
          boot,
          outcome: "success",
          startedAt: assignedAt,
          endedAt: assignedAt,
        },
      ],
    });
    this.finished.add(task);
  }
}
