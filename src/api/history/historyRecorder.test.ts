/** What a master remembers for charts: counted once, by second and minute, also what happened before it looked. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { TaskSpec } from "../../model/task.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { Buckets, type HistoryPoint } from "./buckets.ts";
import { Marks } from "./marks.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  // The master of the tests dates its entries from one second after 1970 on.
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"], now: 1000 });
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null, isRecording: true });
});
afterEach(async () => {
  await api.close();
  vi.useRealTimers();
});

/** A second passes, twice: the recorder begins to follow, and then samples. */
async function tick(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1000);
  await vi.advanceTimersByTimeAsync(1000);
}

async function points(query = ""): Promise<readonly HistoryPoint[]> {
  const { body } = await api.http.inject({ url: `/v1/history${query}`, headers: { host: "localhost" } });
  return (JSON.parse(body) as { points: HistoryPoint[] }).points;
}

function sums(all: readonly HistoryPoint[]): { readonly [name: string]: number } {
  const names = ["submitted", "started", "succeeded", "failed", "cancelled", "retried", "killed"] as const;
  return Object.fromEntries(names.map((name) => [name, all.reduce((sum, point) => sum + point[name], 0)]));
}

async function submit(id: string): Promise<void> {
  await master.submit([{ id, kind: "sleep", input: { seconds: 1 } }], null);
  master.publish({ kind: "spec", spec: { id: id as TaskId } as TaskSpec });
}

test("starts, ends and lost workers are counted, also where one entry holds a loss and the next start", async () => {
  await tick();
  await submit("a");
  await submit("b");
  const at = Date.now();
  master.change("a" as TaskId, { state: "running", attempt: 1, changedAt: at, assignedAt: at });
  master.change("b" as TaskId, { state: "running", attempt: 1, changedAt: at, assignedAt: at });
  master.change("a" as TaskId, { state: "running", attempt: 2, kills: 1, changedAt: at + 5, assignedAt: at + 5 });
  master.change("b" as TaskId, { state: "retrying", changedAt: at + 5 });
  master.change("a" as TaskId, { state: "success", changedAt: at + 9 });
  master.change("b" as TaskId, { state: "cancelled", changedAt: at + 9 });
  const expected = { submitted: 2, started: 3, succeeded: 1, failed: 0, cancelled: 1, retried: 1, killed: 1 };
  expect(sums(await points())).toEqual(expected);
  expect(sums(await points("?resolution=second"))).toEqual(expected);
});

test("what the journal still holds from before is counted, too", async () => {
  await submit("early");
  await tick();
  expect(sums(await points())["submitted"]).toBe(1);
});

test("the leader's own times and the states of tasks are noted once it follows the journal", async () => {
  master.observer?.committed(4);
  await tick();
  await submit("a");
  master.observer?.committed(100);
  master.observer?.began({ queue: "default", kind: "sleep" }, 2000);
  await vi.advanceTimersByTimeAsync(1000);
  const last = (await points()).at(-1);
  expect(last?.commitMs).toEqual({ p50: 108, p95: 108 });
  expect(last?.waitMs?.p50).toBeGreaterThanOrEqual(2000);
  expect(last?.waitMs?.p50).toBeLessThan(2500);
  expect(last?.sample?.tasks).toEqual({ created: 1 });
});

test("only what is asked for is sent, and a wrong resolution is refused", async () => {
  await tick();
  await submit("a");
  expect(await points(`?since=${Date.now() + 120_000}`)).toEqual([]);
  const { statusCode } = await api.http.inject({ url: "/v1/history?resolution=day", headers: { host: "localhost" } });
  expect(statusCode).toBe(400);
});

describe("buckets", () => {
  test("forget the oldest, and go on in the newest one when the clock goes back", () => {
    const buckets = new Buckets(1000, 3);
    for (const at of [1000, 2000, 3000, 4000, 3500]) buckets.count(at, "started");
    expect(buckets.since(0).map(({ at, started }) => [at, started])).toEqual([
      [2000, 1],
      [3000, 1],
      [4000, 2],
    ]);
  });

  test("what is quiet counts nothing, and what is too old goes, also where little happened since", () => {
    const buckets = new Buckets(1000, 4);
    for (const at of [1000, 7000, 9500]) buckets.count(at, "started");
    const told = (since: number) => buckets.since(since).map(({ at, started }) => [at, started]);
    const lately = [
      [8000, 0],
      [9000, 1],
    ];
    expect(told(0)).toEqual([[7000, 1], ...lately]);
    expect(told(7500)).toEqual(lately);
    expect(told(9001)).toEqual([]);
    expect(new Buckets(1000, 4).since(0)).toEqual([]);
  });

  test("a quantile is right to a quarter over the whole range", () => {
    for (const ms of [1, 7, 80, 950, 12_000, 3_600_000]) {
      const buckets = new Buckets(1000, 3);
      buckets.time(0, "runMs", ms);
      const p50 = buckets.since(0)[0]?.runMs?.p50 ?? 0;
      expect(p50).toBeGreaterThanOrEqual(ms);
      expect(p50).toBeLessThanOrEqual(Math.ceil(ms * 1.25) + 1);
    }
  });
});

test("marks name elections, and each change of a worker once; the oldest go", () => {
  const marks = new Marks(limits.historyMarksMax);
  const none = new Map<string, number>();
  const worker = {
    ...{ id: "w1" as WorkerId, boot: "b1" as never, capacity: 1, queues: ["default"], isDraining: false },
    ...{ state: "connected" as const, changedAt: 0, hostname: "h", pid: 1, version: "1" },
  };
  const write = (value: typeof worker | (Omit<typeof worker, "state"> & { state: "lost" })) =>
    ({ kind: "record", collection: "workers", id: "w1", value }) as const;
  marks.note(1, 1, { kind: "marker", address: "http://m", collections: {} }, none);
  marks.note(2, 1, write(worker), none);
  marks.note(3, 1, write({ ...worker, changedAt: 3 }), none);
  marks.note(4, 1, write({ ...worker, isDraining: true }), none);
  marks.note(5, 1, write({ ...worker, state: "lost" }), none);
  expect(marks.since(0)).toEqual([
    { at: 1, kind: "leader", epoch: 1, address: "http://m" },
    { at: 2, kind: "attached", worker: "w1" },
    { at: 4, kind: "drained", worker: "w1" },
    { at: 5, kind: "lost", worker: "w1" },
  ]);
  expect(marks.since(5)).toHaveLength(1);
  for (let at = 10; at < 10 + limits.historyMarksMax; at += 1) {
    marks.note(at, at, { kind: "marker", address: "http://m", collections: {} }, none);
  }
  expect(marks.since(0)).toHaveLength(limits.historyMarksMax);
  expect(marks.since(0)[0]?.at).toBe(10);
});

test("a worker that was killed and started anew is told as such, with the attempts that it lost", async () => {
  await tick();
  const at = Date.now();
  const host = "w1" as WorkerId;
  const record = {
    ...{ id: host, boot: "b1" as never, capacity: 4, queues: ["default"], isDraining: false },
    ...{ state: "connected" as const, changedAt: at, hostname: "h", pid: 1, version: "1" },
  };
  const write = (value: typeof record) => ({ kind: "record", collection: "workers", id: host, value }) as const;
  for (const id of ["a", "b"]) await submit(id);
  for (const id of ["a", "b"] as TaskId[])
    master.change(id, { state: "running", attempt: 1, changedAt: at, assignedAt: at, host });
  master.publish(write(record));
  const kill = (id: string) => {
    const status = { id: id as TaskId, state: "killed", attempt: 1, kills: 1, changedAt: at };
    return { kind: "status", status } as never;
  };
  master.publish(kill("a"), kill("b"), write({ ...record, boot: "b2" as never }));
  const { body } = await api.http.inject({ url: "/v1/marks", headers: { host: "localhost" } });
  const [first, second] = (JSON.parse(body) as { marks: readonly object[] }).marks.slice(-2);
  expect(first).toMatchObject({ kind: "attached", worker: "w1" });
  expect(first).not.toHaveProperty("wasRestarted");
  expect(second).toMatchObject({ kind: "attached", worker: "w1", wasRestarted: true, attemptsLost: 2 });
});
