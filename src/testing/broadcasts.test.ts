/** Broadcasts over a whole cluster: once on every worker that is there, in spite of deaths, and a clear end where one is gone for good. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { defaults, limits } from "../model/limits.ts";
import type { TaskDocument } from "../model/task.ts";
import { defineTask } from "../sdk/handler/definition.ts";
import { type TestCluster, testCluster } from "./testCluster.ts";

let cluster: TestCluster;
/** Workers on which it fails. */
let broken = new Set<string>();

const clean = defineTask({
  name: "clean",
  attemptsMax: 1,
  async run(text: string, ctx) {
    const { name } = await cluster.get(ctx.taskId);
    cluster.effect(name);
    if (broken.has(name)) throw new Error("no space");
    return `${text} ${name}`;
  },
});

const slow = defineTask({ name: "slow", run: (_: null, ctx) => ctx.sleep("s", "1h") });

beforeEach(async () => {
  broken = new Set();
  cluster = await testCluster({ tasks: [clean, slow], workers: 3 });
});

afterEach(() => cluster.stop());

async function nodes(parent: string): Promise<readonly TaskDocument[]> {
  return (await cluster.tasks()).filter((task) => task.parent === parent).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function states(parent: string): Promise<{ readonly [worker: string]: string }> {
  return Object.fromEntries((await nodes(parent)).map(({ name, state }) => [name, state]));
}

/** Step by step: of a jump a leader thinks that it was away itself. */
async function pass(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 2) await cluster.advance("2s");
}

test("runs once on every worker, and gives back what each of them gave", async () => {
  const id = await cluster.submit(clean.task("cleaned", { broadcast: true }));
  expect(await cluster.result(id)).toEqual({
    ...{ "worker-1": "cleaned worker-1", "worker-2": "cleaned worker-2", "worker-3": "cleaned worker-3" },
  });
  expect(cluster.effects.toSorted()).toEqual(["worker-1", "worker-2", "worker-3"]);
  for (const { name, host, requires } of await nodes(id)) expect([host, requires]).toEqual([name, [`worker=${name}`]]);
  expect(await cluster.get(id)).toMatchObject({
    kind: "clean",
    broadcast: true,
    attempt: 0,
    childCounts: { success: 3 },
  });
});

test("a worker that arrives later does not take part", async () => {
  const id = await cluster.submit(slow.task(null, { broadcast: true }));
  await cluster.advance(100);
  await cluster.startWorker(4);
  await cluster.advance("2h");
  expect((await cluster.get(id)).state).toBe("success");
  expect(Object.keys(await states(id))).toEqual(["worker-1", "worker-2", "worker-3"]);
});

test("waits while nobody could take it, and says why; then it goes to whoever is there", async () => {
  for (const number of [1, 2, 3]) await cluster.killWorker(number);
  await pass(30);
  const id = await cluster.submit(clean.task("x", { broadcast: true }));
  await cluster.advance("1m");
  expect(await cluster.get(id)).toMatchObject({ state: "created", waiting: { reason: "no-worker" } });
  await cluster.startWorker(2);
  expect(await cluster.result(id)).toEqual({ "worker-2": "x worker-2" });
});

test("a worker that dies in the middle runs its part again when it is back, and nobody else does", async () => {
  const id = await cluster.submit(slow.task(null, { broadcast: true, backoffBaseMs: 10 }));
  await cluster.advance(100);
  await cluster.killWorker(2);
  await pass(30);
  await cluster.changeMaster();
  await cluster.startWorker(2);
  await cluster.advance("2h");
  expect((await cluster.get(id)).state).toBe("success");
  for (const { name, host } of await nodes(id)) expect(host).toBe(name);
});

test("the part of a worker that is gone for good fails, and a retry runs it once the worker is back", async () => {
  broken = new Set(["worker-2"]);
  const id = await cluster.submit(clean.task("x", { broadcast: true, attemptsMax: 2, backoffBaseMs: 60_000 }));
  await cluster.advance("1s");
  expect(await states(id)).toEqual({ "worker-1": "success", "worker-2": "retrying", "worker-3": "success" });
  await cluster.killWorker(2);
  await pass(30);
  expect((await states(id))["worker-2"]).toBe("retrying");
  await pass(defaults.broadcastAwayMs / 1000);
  const [, node] = await nodes(id);
  expect(node).toMatchObject({ state: "failed", error: { code: "worker-gone" } });
  expect(await cluster.get(id)).toMatchObject({ state: "failed", error: { code: "broadcast-failed" } });
  expect((await cluster.get(id)).error?.message).toContain("worker-2");
  broken = new Set();
  await cluster.startWorker(2);
  await cluster.advance("10s");
  expect(await cluster.retry(id)).toBe(2);
  expect(Object.keys((await cluster.result(id)) as object)).toHaveLength(3);
  expect(cluster.effects.filter((name) => name === "worker-1")).toHaveLength(1);
});

test("a retry waits as long for a worker that is gone as the first time, however soon it comes", async () => {
  broken = new Set(["worker-2"]);
  const id = await cluster.submit(clean.task("x", { broadcast: true, attemptsMax: 2, backoffBaseMs: 60_000 }));
  await cluster.advance("1s");
  await cluster.killWorker(2);
  const failedAt = async () => {
    for (;;) {
      const [, node] = await nodes(id);
      if (node?.state === "failed") return node.changedAt;
      await cluster.advance("100ms");
    }
  };
  const before = await failedAt();
  expect(await cluster.retry(id)).toBe(2);
  expect((await failedAt()) - before).toBeGreaterThanOrEqual(defaults.broadcastAwayMs);
});

test("from scratch it reaches the workers that are there then", async () => {
  broken = new Set(["worker-3"]);
  const id = await cluster.submit(clean.task("x", { broadcast: true }));
  expect((await cluster.ended(id)).state).toBe("failed");
  broken = new Set();
  await cluster.startWorker(4);
  await cluster.killWorker(3);
  await pass(30);
  expect(await cluster.retry(id, { fromScratch: true })).toBe(1);
  expect(Object.keys((await cluster.result(id)) as object)).toEqual(["worker-1", "worker-2", "worker-4"]);
});

test("is cancelled on all workers, and its concurrency key lets one of them run at a time", async () => {
  const id = await cluster.submit(slow.task(null, { broadcast: true, concurrencyKey: "k" }));
  await cluster.advance("30m");
  expect(Object.values(await states(id))).toEqual(["waiting", "waiting", "waiting"]);
  await cluster.cancel(id);
  expect((await cluster.ended(id)).state).toBe("cancelled");
  expect(new Set(Object.values(await states(id)))).toEqual(new Set(["cancelled"]));
});

test("a task that requires the label of a worker runs there", async () => {
  for (const number of [3, 1, 2]) {
    const id = await cluster.submit(clean.task("x", { requires: [`worker=worker-${number}`] }));
    await cluster.ended(id);
    expect((await cluster.get(id)).host).toBe(`worker-${number}`);
  }
});

test("one that is too large for all workers together fails, and says so", async () => {
  const id = await cluster.submit(clean.task("x".repeat(limits.broadcastBytesMax / 2), { broadcast: true }));
  expect((await cluster.ended(id)).error).toMatchObject({ code: "too-many" });
  expect(await nodes(id)).toEqual([]);
});
