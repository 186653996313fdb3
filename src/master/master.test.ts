/** A whole master over the memory store, told things as a worker and a client would tell it. */
import { afterEach, describe, expect, test } from "vitest";
import type { CollectionName } from "../model/collections/table.ts";
import type { BootId, Incarnation, Nonce, SessionId, TaskId, WorkerId } from "../model/ids.ts";
import type { Assignment, AttachRequest, IssuedAttempt, StreamMessage } from "../model/protocol.ts";
import { SystemClock } from "../node/clock.ts";
import { SystemIds } from "../node/ids.ts";
import { type OutgoingEntry, StoreUnavailable } from "../ports/store.ts";
import { attachRequest } from "../proof/fakes/attachRequest.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import { encodeEntry, journalStart, positionOf } from "./journal/journal.ts";
import { Master } from "./master.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const masters: Master[] = [];

afterEach(async () => {
  for (const master of masters.splice(0)) await master.stop();
});

/** A memory store whose appends can be made to fail, before or after the fact. */
class FaultyStore extends MemoryStore {
  appends: OutgoingEntry[] = [];
  fault: "none" | "before" | "after" = "none";

  override async append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    this.appends.push(entry);
    if (this.fault === "before") throw new StoreUnavailable("io", "it broke before");
    const end = await super.append(entry);
    if (this.fault === "after") {
      this.fault = "none";
      throw new StoreUnavailable("timeout", "it broke after");
    }
    return end;
  }
}

function toMaster(store: FaultyStore, name: string): Master {
  const master = new Master({
    name,
    address: `http://${name}:1`,
    store,
    clock: new SystemClock(),
    ids: new SystemIds(),
    log: silent,
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
  });
  masters.push(master);
  return master;
}

async function startMaster(
  store = new FaultyStore({ ids: new SystemIds() }),
  name = "m1",
): Promise<{ master: Master; store: FaultyStore }> {
  const master = toMaster(store, name);
  await master.start();
  await until(() => master.service.status().role === "leader");
  return { master, store };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

class FakeWorker {
  readonly id = "w1" as WorkerId;
  readonly messages: StreamMessage[] = [];
  session = "" as SessionId;
  epoch = 0;
  isClosed = false;

  async attach(master: Master, fields: Partial<AttachRequest> = {}): Promise<void> {
    const answer = await master.service.attach(this.id, attachRequest(fields), "127.0.0.1");
    this.session = answer.session;
    this.epoch = answer.epoch;
    master.service.openStream(this.id, answer.session, {
      send: (message) => this.messages.push(message),
      close: () => {
        this.isClosed = true;
      },
    });
  }

  get assignments(): Assignment[] {
    return this.messages.flatMap((message) => (message.kind === "assign" ? message.assignments : []));
  }

  /** The last attempt of this task that came. */
  issued(id: string): IssuedAttempt {
    const { task, attempt, assignedAt } = this.assignments.findLast((assignment) => assignment.task === id)!;
    return { task, attempt, assignedAt };
  }

  finish(master: Master, { task, attempt, assignedAt }: IssuedAttempt) {
    const result = {
      kind: "result",
      task,
      attempt,
      assignedAt,
      boot: "boot-1" as BootId,
      outcome: "success",
      startedAt: 1,
      endedAt: 2,
      output: { n: 1 },
    } as const;
    return master.service.report(this.id, {
      boot: "boot-1" as BootId,
      session: this.session,
      epoch: this.epoch,
      items: [result],
    });
  }
}

const sleep = { kind: "sleep", input: { seconds: 1 } } as const;

describe("a master", () => {
  test("tells whoever asks before its store is open to ask again", async () => {
    const master = toMaster(new FaultyStore({ ids: new SystemIds() }), "m1");
    const startingUp = { code: "unavailable", message: "This master is still starting." };
    await expect(master.service.readTask("a" as TaskId)).rejects.toMatchObject(startingUp);
    await expect(master.service.listTasks({ order: "newest", cursor: null, limit: 1 })).rejects.toMatchObject(
      startingUp,
    );
    await expect(master.service.readLogs("a" as TaskId, 1, 0, 1)).rejects.toMatchObject(startingUp);
  });

  test("tells whoever asks once its store is closed to ask again, elsewhere", async () => {
    const { master } = await startMaster();
    await master.stop();
    await expect(master.service.readTask("t" as TaskId)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("does not let a session that never was push out the one that counts", async () => {
    const { master } = await startMaster();
    const worker = new FakeWorker();
    await worker.attach(master);
    let isTurnedAway = false;
    const disconnect = master.service.openStream(worker.id, `${worker.session}9` as SessionId, {
      send: () => undefined,
      close: () => {
        isTurnedAway = true;
      },
    });
    disconnect();
    expect([isTurnedAway, worker.isClosed]).toEqual([true, false]);
    await master.service.submit([{ ...sleep, id: "a" }], null);
    await until(() => worker.assignments.length === 1);
  });

  test("keeps of an attempt's result what belongs there, and nothing more", async () => {
    const { master } = await startMaster();
    const worker = new FakeWorker();
    await worker.attach(master);
    await master.service.submit([{ ...sleep, id: "a", attemptsMax: 1 }], null);
    await until(() => worker.assignments.length === 1);
    const error = { code: "exit", message: "no", stowaway: "x".repeat(1000) };
    const exit = { code: 1, signal: null, stowaway: "x" };
    await master.service.report(worker.id, {
      boot: "boot-1" as BootId,
      session: worker.session,
      epoch: worker.epoch,
      items: [
        {
          ...worker.issued("a"),
          ...{ kind: "result", boot: "boot-1" as BootId, outcome: "failed" },
          ...{ startedAt: 1, endedAt: 2, error, exit },
        },
      ],
    });
    const task = await master.service.readTask("a" as TaskId);
    expect(task?.error).toEqual({ code: "exit", message: "no" });
    expect(task?.exit).toEqual({ code: 1, signal: null });
  });

  test("refuses a worker that has seen a higher epoch of the same store, until the store is marked as restored", async () => {
    const { master, store } = await startMaster();
    const { incarnation } = master.service.status();
    const [worker, seen] = [new FakeWorker(), { epochMax: 99, incarnation }];
    const refusal = { code: "stale-epoch", details: { hint: expect.stringContaining("outlast restored") as string } };
    await expect(worker.attach(master, seen)).rejects.toMatchObject(refusal);
    await master.stop();
    await store.setIncarnation("after the backup" as Incarnation);
    const { master: next } = await startMaster(store, "m2");
    await worker.attach(next, seen);
    expect(worker.epoch).toBe(2);
  });

  test("takes output only of attempts that are the worker's own", async () => {
    const { master } = await startMaster();
    const worker = new FakeWorker();
    const other = "w2" as WorkerId;
    await worker.attach(master);
    const { session } = await master.service.attach(other, attachRequest({ queues: ["elsewhere"] }), "127.0.0.1");
    await master.service.submit([{ ...sleep, id: "a" }], null);
    await until(() => worker.assignments.length === 1);
    const piece = (attempt: number, offset: number, text: string) => ({
      ...{ task: "a" as TaskId, attempt, offset, at: 1, bytes: Buffer.from(text), isTruncated: false },
    });
    await master.service.storeLogs(other, session, [piece(1, 0, "forged"), piece(2, 0, "too early")]);
    await master.service.storeLogs(worker.id, worker.session, [piece(1, 0, "true")]);
    await master.service.storeLogs(other, session, [piece(1, 4, "forged")]);
    const kept = [
      ...(await master.service.readLogs("a" as TaskId, 1, 0, 1000)),
      ...(await master.service.readLogs("a" as TaskId, 2, 0, 1000)),
    ];
    expect(kept.map(({ offset, bytes }) => [offset, Buffer.from(bytes).toString()])).toEqual([[0, "true"]]);
  });

  test("takes a task from submit to success", async () => {
    const { master } = await startMaster();
    const worker = new FakeWorker();
    await worker.attach(master);
    const [task] = await master.service.submit([{ ...sleep, name: "first" }], null);
    await until(() => worker.assignments.length === 1);
    expect(worker.assignments[0]).toMatchObject({
      task: task!.id,
      attempt: 1,
      name: "first",
      kind: "sleep",
      input: { seconds: 1 },
    });
    const answer = await worker.finish(master, worker.assignments[0]!);
    expect(answer.verdicts).toEqual([{ task: task!.id, attempt: 1, verdict: "committed" }]);
    expect(await master.service.readTask(task!.id)).toMatchObject({
      state: "success",
      attempt: 1,
      host: "w1",
      output: { n: 1 },
    });
    expect((await worker.finish(master, worker.assignments[0]!)).verdicts[0]).toMatchObject({ verdict: "stale" });
  });

  test("creates one task however often a key is sent, and refuses the key with another wish", async () => {
    const { master } = await startMaster();
    const [first] = await master.service.submit([sleep], "key-1");
    const [again] = await master.service.submit([sleep], "key-1");
    expect(first).toMatchObject({ isNew: true });
    expect(again).toEqual({ id: first!.id, isNew: false });
    await expect(master.service.submit([{ ...sleep, input: { seconds: 2 } }], "key-1")).rejects.toMatchObject({
      code: "conflict",
    });
    await master.service.cancel(first!.id);
    expect(await master.service.submit([sleep], "key-1")).toEqual([{ id: first!.id, isNew: false }]);
    await expect(master.service.cancel(first!.id)).rejects.toMatchObject({ code: "already-final" });
  });

  test("finds out that an entry of unknown fate went in, and acknowledges only then", async () => {
    const { master, store } = await startMaster();
    store.fault = "after";
    const [task] = await master.service.submit([sleep], null);
    const tries = store.appends.filter((entry) => entry.body.includes(task!.id));
    expect(tries).toHaveLength(2);
    expect(tries[0]).toEqual(tries[1]);
  });

  test("acknowledges nothing while the store does not commit, and appends the same bytes until it does", async () => {
    const { master, store } = await startMaster();
    store.fault = "before";
    let isAcknowledged = false;
    const submitted = master.service.submit([sleep], null).then(() => {
      isAcknowledged = true;
    });
    const before = store.appends.length;
    await until(() => store.appends.length >= before + 4);
    expect(isAcknowledged).toBe(false);
    expect(master.service.status().trouble).toContain("it broke before");
    store.fault = "none";
    await submitted;
    const tries = store.appends.slice(before);
    expect(new Set(tries.map((entry) => `${entry.seq} ${entry.crc}`)).size).toBe(1);
  });

  test("steps down when its slot is taken, tells whoever waits, and never shows what it had decided", async () => {
    const { master, store } = await startMaster();
    const worker = new FakeWorker();
    await worker.attach(master);
    const tail = (await store.readTail())!;
    const rival = { epoch: tail.epoch + 1, nonce: "rival" as Nonce };
    await store.writeLease({ ...rival, beat: 1, address: "http://rival:1", isResigned: false, ttlMs: 0 });
    await store.append(
      encodeEntry(positionOf(tail), rival, 5, [{ kind: "marker", address: "http://rival:1", collections: {} }]),
    );
    await expect(master.service.submit([sleep], null)).rejects.toMatchObject({ code: "not-leader" });
    expect(worker.assignments).toEqual([]);
    expect(worker.isClosed).toBe(true);
    await until(
      () => master.service.status().role === "standby" && master.service.status().leader === "http://rival:1",
    );
    expect(master.service.status().epoch).toBe(rival.epoch);
  });

  test("refuses a request that asks for two things under one id, all of it", async () => {
    const { master } = await startMaster();
    const longer = { ...sleep, input: { seconds: 2 } };
    await expect(
      master.service.submit(
        [
          { ...sleep, id: "d" },
          { ...longer, id: "d" },
        ],
        null,
      ),
    ).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("stands in this request twice") as string,
    });
    expect(await master.service.readTask("d" as TaskId)).toBeNull();
  });

  test("hands out every change once and in order, from wherever it is asked", async () => {
    const { master } = await startMaster();
    await master.service.submit([sleep], null);
    const seen: number[] = [];
    const subscription = await master.service.changes(0, (batch) => {
      seen.push(batch.seq);
    });
    await master.service.submit([sleep], null);
    await master.service.submit([sleep], null);
    subscription.close();
    await master.service.submit([sleep], null);
    expect(seen).toEqual(seen.map((_, index) => index + 1));
    expect(seen.at(-1)).toBe(master.service.status().seq - 1);
  });
});

describe("a barrier", () => {
  test("is passed with an entry of its own, which all who ask at once share", async () => {
    const { master, store } = await startMaster();
    const before = master.service.status().seq;
    const seqs = await Promise.all([master.service.barrier(), master.service.barrier(), master.service.barrier()]);
    expect(new Set(seqs)).toEqual(new Set([before + 1]));
    expect(store.appends.at(-1)).toMatchObject({ seq: before + 1, body: "[]" });
  });

  test("is not passed with an entry that was under way already when it was asked for", async () => {
    const { master, store } = await startMaster();
    store.fault = "before";
    const submitted = master.service.submit([sleep], null);
    const before = store.appends.length;
    await until(() => store.appends.length > before);
    const barrier = master.service.barrier();
    store.fault = "none";
    await submitted;
    expect(await barrier).toBe(store.appends.at(-1)!.seq);
    expect(store.appends.at(-1)).toMatchObject({ body: "[]" });
  });

  test("is refused by a leader that only now finds out that it no longer leads, and by a standby", async () => {
    const { master, store } = await startMaster();
    const tail = (await store.readTail())!;
    const rival = { epoch: tail.epoch + 1, nonce: "rival" as Nonce };
    await store.append(
      encodeEntry(positionOf(tail), rival, 5, [{ kind: "marker", address: "http://rival:1", collections: {} }]),
    );
    await store.writeLease({ ...rival, beat: 1, address: "http://rival:1", isResigned: false, ttlMs: 0 });
    await expect(master.service.barrier()).rejects.toMatchObject({ code: "not-leader" });
    await until(() => master.service.status().role === "standby");
    await expect(master.service.barrier()).rejects.toMatchObject({ code: "not-leader" });
  });
});

test("leads after one that wrote no lease, although its marker went by unread", async () => {
  const ids = new SystemIds();
  const nonce = "gone" as Nonce;
  const older = { epoch: 1, nonce: "older" as Nonce };
  const first = encodeEntry(journalStart, older, 5, [{ kind: "marker", address: "http://older:1", collections: {} }]);
  const second = encodeEntry(positionOf(first), { epoch: 2, nonce }, 6, [
    { kind: "marker", address: "http://gone:1", collections: {} },
  ]);
  /** The last word of that leader comes between the reading of the view and that of what follows on it. */
  class BusyStore extends FaultyStore {
    override async loadView(collections: readonly CollectionName[]) {
      const view = await super.loadView(collections);
      if (view.seq === second.seq) await this.append(encodeEntry(positionOf(second), { epoch: 2, nonce }, 7, []));
      return view;
    }
  }
  const store = new BusyStore({ ids });
  for (const entry of [first, second]) await store.append(entry);
  await store.writeLease({ ...older, beat: 1, address: "http://older:1", isResigned: true, ttlMs: 0 });
  const { master } = await startMaster(store);
  expect(master.service.status().epoch).toBe(3);
});

test("a second master follows, and leads when the first one leaves", async () => {
  const store = new FaultyStore({ ids: new SystemIds() });
  const { master: first } = await startMaster(store);
  const [task] = await first.service.submit([sleep], null);
  store.close = async () => undefined;
  await first.stop();
  const { master: second } = await startMaster(store, "m2");
  expect(second.service.status().epoch).toBe(2);
  const worker = new FakeWorker();
  await worker.attach(second);
  await until(() => worker.assignments.length === 1);
  expect(worker.assignments[0]).toMatchObject({ task: task!.id, attempt: 1 });
});
