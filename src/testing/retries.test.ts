/** Retries over a whole cluster: what runs again, what is remembered, and what deaths in the middle change about that: nothing. */
import { afterEach, describe, expect, test } from "vitest";
import { limits } from "../model/limits.ts";
import type { TaskDocument } from "../model/task.ts";
import { defineTask } from "../sdk/handler/definition.ts";
import { ChildFailedError } from "../sdk/handler/errors.ts";
import { type TestCluster, testCluster } from "./testCluster.ts";

/** What the handlers do; changed by tests between attempts. */
const world = { broken: new Set<number>(), isParentBroken: false, size: 4 };
let cluster: TestCluster;

const part = defineTask({
  name: "part",
  attemptsMax: 1,
  async run(index: number, ctx) {
    await ctx.step("begun", () => cluster.effect(`part ${index}`));
    if (world.broken.has(index)) throw new Error(`part ${index} is broken`);
    return index;
  },
});

const whole = defineTask({
  name: "whole",
  attemptsMax: 1,
  async run(_: null, ctx) {
    await ctx.step("prepared", () => cluster.effect("prepared"));
    const parts = await ctx.all(
      "parts",
      Array.from({ length: world.size }, (_each, index) => part.task(index)),
    );
    if (world.isParentBroken) throw new Error("the parent is broken");
    return parts;
  },
});

const top = defineTask({
  name: "top",
  async run(isTolerant: boolean, ctx) {
    try {
      return await ctx.run("whole", whole.task(null));
    } catch (error) {
      if (isTolerant && error instanceof ChildFailedError) return "caught";
      throw error;
    }
  },
});

const sleeper = defineTask({ name: "sleeper", run: (_: null, ctx) => ctx.sleep("s", "1h") });

const twoSets = defineTask({
  name: "two-sets",
  async run(_: null, ctx) {
    await ctx.run("first", part.task(0)).catch(() => null);
    return ctx.all("rest", [part.task(1), sleeper.task(null)]);
  },
});

const strict = defineTask({
  name: "strict",
  attemptsMax: 1,
  run: (_: null, ctx) => ctx.all("all", [part.task(1), sleeper.task(null)], { onFailure: "cancel" }),
});

/** Makes many sets, and takes no notice of the last ones: they have ended when it fails. */
const manySets = defineTask({
  name: "many-sets",
  attemptsMax: 1,
  async run(count: number, ctx) {
    const all = Array.from({ length: count }, (_, index) => index);
    for (let from = 0; from < count; from += limits.waitsMax)
      await Promise.all(all.slice(from, from + limits.waitsMax).map((index) => ctx.all(`set ${index}`, [])));
    const last = Array.from({ length: world.size }, (_, index) => ctx.run(`last ${index}`, part.task(index)));
    await ctx.step("meanwhile", async () => {
      while ((await children(ctx.taskId)).filter(({ state }) => state === "success").length < world.size)
        await new Promise(setImmediate);
    });
    if (world.isParentBroken) throw new Error("the parent is broken");
    return Promise.all(last);
  },
});

async function start(): Promise<void> {
  world.broken = new Set();
  world.isParentBroken = false;
  world.size = 4;
  cluster = await testCluster({ tasks: [part, whole, top, sleeper, twoSets, strict, manySets], workers: 2 });
}

afterEach(() => cluster.stop());

async function children(parent: string): Promise<readonly TaskDocument[]> {
  return (await cluster.tasks()).filter((task) => task.parent === parent).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function attemptsOf(parent: string): Promise<number[]> {
  return (await children(parent)).map(({ attempt }) => attempt);
}

describe("a retry", () => {
  test("runs only what failed, and the parent resumes from its steps", async () => {
    await start();
    world.broken = new Set([1, 3]);
    const id = await cluster.submit(whole.task(null));
    expect((await cluster.ended(id)).state).toBe("failed");
    expect(cluster.effects).toEqual(expect.arrayContaining(["prepared", "part 0", "part 1", "part 2", "part 3"]));
    expect(cluster.effects).toHaveLength(5);

    world.broken = new Set();
    expect(await cluster.retry(id)).toBe(3);
    expect(await cluster.result(id)).toEqual([0, 1, 2, 3]);
    expect(await attemptsOf(id)).toEqual([1, 2, 1, 2]);
    // Nothing was done twice: the steps of parent and children were remembered.
    expect(cluster.effects).toHaveLength(5);
    const task = await cluster.get(id);
    expect(task).toMatchObject({ state: "success", failures: 0, childCounts: { success: 4 } });
    expect(task.uncounted).toBe(task.attempt - 1);
  });

  test("fails again where the cause is still there, and can be repeated", async () => {
    await start();
    world.broken = new Set([2]);
    const id = await cluster.submit(whole.task(null));
    await cluster.ended(id);
    for (let time = 0; time < 2; time += 1) {
      expect(await cluster.retry(id)).toBe(2);
      await cluster.ended(id);
      expect(await cluster.get(id)).toMatchObject({ state: "failed", childCounts: { success: 3, failed: 1 } });
    }
    expect(await attemptsOf(id)).toEqual([1, 1, 3, 1]);
  });

  test("of a plain failed task runs it again, and its attempts are all known", async () => {
    await start();
    world.broken = new Set([7]);
    const id = await cluster.submit(part.task(7));
    await cluster.ended(id);
    world.broken = new Set();
    expect(await cluster.retry(id)).toBe(1);
    expect(await cluster.result(id)).toBe(7);
    expect(await cluster.get(id)).toMatchObject({ attempt: 2, failures: 0 });
  });

  test("of a child opens what ended above it, also a success", async () => {
    await start();
    world.broken = new Set([0]);
    const id = await cluster.submit(top.task(true));
    expect(await cluster.result(id)).toBe("caught");
    const [middle] = await children(id);
    const [broken] = await children(middle?.id ?? "");
    world.broken = new Set();
    expect(await cluster.retry(broken?.id ?? "")).toBe(3);
    expect(await cluster.result(id)).toEqual([0, 1, 2, 3]);
    expect((await cluster.get(middle?.id ?? "")).state).toBe("success");
    expect(await attemptsOf(middle?.id ?? "")).toEqual([2, 1, 1, 1]);
  });

  test("of a child leaves the other children of its parent as they are: none is made twice", async () => {
    await start();
    world.broken = new Set([0]);
    const id = await cluster.submit(twoSets.task(null));
    await cluster.advance(100);
    await cluster.cancel(id);
    expect((await cluster.ended(id)).state).toBe("cancelled");
    const first = (await children(id)).find(({ state }) => state === "failed");
    world.broken = new Set();
    expect(await cluster.retry(first?.id ?? "")).toBe(2);
    // The sleeping child is still cancelled.
    expect((await cluster.ended(id)).state).toBe("failed");
    expect(await cluster.get(id)).toMatchObject({ childCounts: { success: 2, cancelled: 1 } });
    expect(cluster.effects.filter((effect) => effect === "part 1")).toHaveLength(1);
    expect(await cluster.retry(id)).toBe(2);
    expect((await cluster.ended(id)).state).toBe("success");
    expect(await cluster.get(id)).toMatchObject({ childCounts: { success: 3 } });
  });

  test("of a child that was cancelled for the failure of another is refused, until that one is retried", async () => {
    await start();
    world.broken = new Set([1]);
    const id = await cluster.submit(strict.task(null));
    expect((await cluster.ended(id)).state).toBe("failed");
    const all = await children(id);
    const cancelled = all.find(({ state }) => state === "cancelled")?.id ?? "";
    const failed = all.find(({ state }) => state === "failed")?.id ?? "";
    await expect(cluster.retry(cancelled)).rejects.toMatchObject({
      code: "conflict",
      message: `Task ${cancelled} would be cancelled again: another child of ${id} has failed, which ends the rest of them.`,
    });
    expect((await cluster.get(id)).state).toBe("failed");
    world.broken = new Set();
    expect(await cluster.retry(failed)).toBe(2);
    expect((await cluster.ended(id)).state).toBe("failed");
    // It is still cancelled, and now nothing is in its way.
    expect(await cluster.retry(cancelled)).toBe(2);
    expect((await cluster.ended(id)).state).toBe("success");
  });

  test("reaches what failed below failed children", async () => {
    await start();
    world.broken = new Set([1]);
    const id = await cluster.submit(top.task(false));
    expect((await cluster.ended(id)).state).toBe("failed");
    world.broken = new Set();
    expect(await cluster.retry(id)).toBe(3);
    expect(await cluster.result(id)).toEqual([0, 1, 2, 3]);
  });

  test("from scratch begins a new generation: steps and children are made anew", async () => {
    await start();
    world.isParentBroken = true;
    const id = await cluster.submit(whole.task(null));
    await cluster.ended(id);
    world.isParentBroken = false;
    world.size = 2;
    expect(await cluster.retry(id, { fromScratch: true })).toBe(1);
    expect(await cluster.result(id)).toEqual([0, 1]);
    expect(cluster.effects.filter((effect) => effect === "prepared")).toHaveLength(2);
    expect(await children(id)).toHaveLength(6);
    const task = await cluster.get(id);
    expect(task).toMatchObject({ childCounts: { success: 2 }, family: { epoch: 1, children: 2 } });
    expect(task.attempt).toBeGreaterThan(2);
  });

  test("of a cancelled parent goes on with the children that were not made", async () => {
    await start();
    world.size = 3;
    const id = await cluster.submit(whole.task(null));
    await cluster.cancel(id);
    expect((await cluster.ended(id)).state).toBe("cancelled");
    await cluster.retry(id);
    expect(await cluster.result(id)).toEqual([0, 1, 2]);
    expect(await children(id)).toHaveLength(3);
  });

  test("is refused for a success, and does nothing to a task that has not ended", async () => {
    await start();
    const sleeping = await cluster.submit(sleeper.task(null));
    await cluster.advance(10);
    expect(await cluster.retry(sleeping)).toBe(0);
    const id = await cluster.submit(part.task(1));
    await cluster.ended(id);
    await expect(cluster.retry(id)).rejects.toMatchObject({ code: "conflict" });
    await expect(cluster.retry("nobody")).rejects.toThrow("There is no task nobody");
  });

  test("begins the time of the whole task anew", async () => {
    await start();
    const id = await cluster.submit(sleeper.task(null, { deadlineMs: 90 * 60_000 }));
    await cluster.cancel(id);
    await cluster.advance("2h");
    await cluster.retry(id);
    // A new leader knows it from the journal.
    await cluster.changeMaster();
    expect((await cluster.ended(id)).state).toBe("success");

    const late = await cluster.submit(part.task(2, { requires: ["gpu"], expiresAt: cluster.clock.now() + 1_000 }));
    await cluster.advance("1m");
    expect(await cluster.get(late)).toMatchObject({ state: "failed", error: { code: "expired" } });
    await cluster.retry(late);
    await cluster.advance("1m");
    expect(await cluster.get(late)).toMatchObject({ state: "created" });
  });

  test("is refused while another task has its unique key", async () => {
    await start();
    world.broken = new Set([1]);
    const id = await cluster.submit(part.task(1, { uniqueKey: "k" }));
    await cluster.ended(id);
    const other = await cluster.submit(sleeper.task(null, { uniqueKey: "k" }));
    await cluster.advance(10);
    await expect(cluster.retry(id)).rejects.toThrow(`task ${other} has its unique key "k"`);
    await cluster.ended(other);
    world.broken = new Set();
    expect(await cluster.retry(id)).toBe(1);
    expect(await cluster.result(id)).toBe(1);
  });

  test("survives the deaths of the leader and of a worker in the middle", async () => {
    await start();
    world.broken = new Set([0, 1, 2]);
    const id = await cluster.submit(top.task(false));
    await cluster.ended(id);
    world.broken = new Set([1]);
    expect(await cluster.retry(id)).toBe(5);
    await cluster.changeMaster();
    await cluster.killWorker(1);
    await cluster.startWorker(1);
    expect((await cluster.ended(id)).state).toBe("failed");
    world.broken = new Set();
    await cluster.changeMaster();
    expect(await cluster.retry(id)).toBe(3);
    await cluster.changeMaster();
    expect(await cluster.result(id)).toEqual([0, 1, 2, 3]);
    const [middle] = await children(id);
    expect((await cluster.get(middle?.id ?? "")).childCounts).toEqual({ success: 4 });
    // The attempt of a killed worker may have begun its step anew; nothing else ran twice.
    expect(cluster.effects.filter((effect) => effect === "prepared")).toHaveLength(1);
    expect(cluster.effects.filter((effect) => effect === "part 3")).toHaveLength(1);
  });

  test("of what ran because of a failure goes on with the children that it had, though that is made good since", async () => {
    await start();
    world.broken = new Set([0]);
    const id = await cluster.submit(part.task(0));
    await cluster.ended(id);
    const sweeper = await cluster.submit({ kind: "two-sets", input: null, after: [id], runIf: "failure" });
    await cluster.advance(60_000);
    // Its attempts have waited for its children, and none of them counts.
    expect(await cluster.get(sweeper)).toMatchObject({ state: "waiting", attempt: 2, uncounted: 2 });
    await cluster.cancel(sweeper);
    world.broken = new Set();
    expect(await cluster.retry(id)).toBe(1);
    expect(await cluster.result(id)).toBe(0);
    expect(await cluster.retry(sweeper)).toBe(3);
    await cluster.changeMaster();
    expect((await cluster.ended(sweeper)).state).toBe("success");
    expect((await cluster.get(sweeper)).childCounts).toEqual({ success: 3 });
  });

  test("of a task that has had more sets than a page holds finds those that ended with it: no child is made twice", async () => {
    await start();
    world.isParentBroken = true;
    world.size = 20;
    const id = await cluster.submit(manySets.task(limits.pageMax + 200));
    expect((await cluster.ended(id)).error).toMatchObject({ message: "the parent is broken" });
    world.isParentBroken = false;
    expect(await cluster.retry(id)).toBe(1);
    expect(await cluster.result(id)).toEqual(Array.from({ length: world.size }, (_, index) => index));
    expect(cluster.effects).toHaveLength(world.size);
    expect(await children(id)).toHaveLength(world.size);
  });

  test("of more failures than one entry takes reaches all of them", async () => {
    await start();
    world.size = limits.retriedPerEntryMax + 50;
    world.broken = new Set(Array.from({ length: world.size }, (_, index) => index).filter((index) => index !== 5));
    const id = await cluster.submit(top.task(false));
    await cluster.ended(id);
    world.broken = new Set();
    expect(await cluster.retry(id)).toBeGreaterThanOrEqual(world.size);
    expect((await cluster.ended(id)).state).toBe("success");
    const [middle] = await children(id);
    expect((await cluster.get(middle?.id ?? "")).childCounts).toEqual({ success: world.size });
  });
});
