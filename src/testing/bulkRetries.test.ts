/** Retries of all tasks that match a filter, over a whole cluster: plain tasks, families, graphs, and what stays as it is. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TaskDocument } from "../model/task.ts";
import { defineTask } from "../sdk/handler/definition.ts";
import { ChildFailedError } from "../sdk/handler/errors.ts";
import { type TestCluster, testCluster } from "./testCluster.ts";

/** Names of parts that fail. */
let broken = new Set<string>();
let cluster: TestCluster;

const part = defineTask({
  name: "part",
  attemptsMax: 1,
  async run(name: string) {
    cluster.effect(name);
    if (broken.has(name)) throw new Error(`${name} is broken`);
    return name;
  },
});

const whole = defineTask({
  name: "whole",
  attemptsMax: 1,
  async run({ names, isTolerant = false }: { names: readonly string[]; isTolerant?: boolean }, ctx) {
    try {
      return await ctx.all(
        "parts",
        names.map((name) => part.task(name)),
      );
    } catch (error) {
      if (isTolerant && error instanceof ChildFailedError) return "caught";
      throw error;
    }
  },
});

beforeEach(async () => {
  broken = new Set();
  cluster = await testCluster({ tasks: [part, whole], workers: 2 });
});

afterEach(() => cluster.stop());

async function below(parent: string): Promise<readonly TaskDocument[]> {
  return (await cluster.tasks()).filter((task) => task.parent === parent).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

async function allEnded(ids: Iterable<string>): Promise<string[]> {
  const states: string[] = [];
  for (const id of ids) states.push((await cluster.ended(id)).state);
  return states;
}

test("all failed tasks of a name run again, the oldest first, and nothing else; a dry run names the same", async () => {
  broken = new Set(["a", "b", "c"]);
  const [a, b, good] = [
    await cluster.submit(part.task("a", { name: "report" })),
    await cluster.submit(part.task("b", { name: "report" })),
    await cluster.submit(part.task("good", { name: "report" })),
  ];
  const other = await cluster.submit(part.task("c"));
  await allEnded([a, b, good, other]);
  const stopped = await cluster.submit(part.task("stopped", { name: "report", requires: ["gpu"] }));
  await cluster.cancel(stopped);
  broken = new Set();

  const filter = { name: "report" };
  expect(await cluster.retryAll(filter, true)).toEqual({ tasks: [a, b], refused: [] });
  expect((await cluster.get(a)).state).toBe("failed");
  expect(await cluster.retryAll(filter)).toEqual({ tasks: [a, b], refused: [] });
  expect(await allEnded([a, b])).toEqual(["success", "success"]);
  expect(await cluster.retryAll(filter)).toEqual({ tasks: [], refused: [] });
  expect((await cluster.get(other)).state).toBe("failed");
  // Who cancels a task does not want it back, unless the filter says so.
  expect((await cluster.get(stopped)).state).toBe("cancelled");
  expect(await cluster.retryAll({ ...filter, states: ["cancelled"] })).toEqual({ tasks: [stopped], refused: [] });
  expect((await cluster.get(stopped)).state).toBe("created");
  for (const states of [["success"], ["running"]] as const)
    await expect(cluster.retryAll({ states })).rejects.toMatchObject({ code: "invalid" });
});

test("of families only what failed runs again, each once, though parents and children match", async () => {
  broken = new Set(["b", "c"]);
  const id = await cluster.submit(whole.task({ names: ["a", "b", "c"] }));
  await cluster.ended(id);
  broken = new Set();
  const failed = (await below(id)).filter(({ state }) => state === "failed").map((task) => task.id);
  expect(failed).toHaveLength(2);
  expect(await cluster.retryAll({ states: ["failed"] }, true)).toEqual({ tasks: [id, ...failed], refused: [] });
  expect(await cluster.retryAll({ states: ["failed"] })).toEqual({ tasks: [id, ...failed], refused: [] });
  expect(await cluster.result(id)).toEqual(["a", "b", "c"]);
  expect(cluster.effects.toSorted()).toEqual(["a", "b", "b", "c", "c"]);
});

test("a parent that has succeeded without its failed child stays so", async () => {
  broken = new Set(["b"]);
  const id = await cluster.submit(whole.task({ names: ["a", "b"], isTolerant: true }));
  expect(await cluster.result(id)).toBe("caught");
  const [, child] = await below(id);
  const message = `Task ${id} above it has succeeded without it.`;
  for (const isDryRun of [true, false])
    expect(await cluster.retryAll({ states: ["failed"] }, isDryRun)).toEqual({
      ...{ tasks: [], refused: [{ id: child?.id, message, hint: `To run both again: outlast retry ${child?.id}` }] },
    });
  expect((await cluster.get(id)).state).toBe("success");
  broken = new Set();
  expect(await cluster.retry(child?.id ?? "")).toBe(2);
});

test("a graph is retried as a whole, also where the filter matches only tasks of it", async () => {
  const node = (name: string) => ({ kind: "part", attemptsMax: 1, input: name });
  const tasks = { load: node("load"), clean: { ...node("clean"), after: ["load"] } };
  broken = new Set(["load"]);
  const id = await cluster.submit({ kind: "graph", input: { tasks } });
  await cluster.ended(id);
  const load = (await below(id)).find(({ name }) => name === "load");
  broken = new Set();
  expect(await cluster.retryAll({ name: "load" }, true)).toEqual({ tasks: [load?.id], refused: [] });
  expect((await cluster.get(id)).state).toBe("failed");
  expect(await cluster.retryAll({ name: "load" })).toEqual({ tasks: [load?.id], refused: [] });
  expect((await cluster.ended(id)).state).toBe("success");
  expect(cluster.effects).toEqual(["load", "load", "clean"]);
});

test("a node that fails again without an attempt has been retried with its graph, as the dry run says", async () => {
  const make = { kind: "part", attemptsMax: 1, input: "make" };
  const use = { kind: "part", input: "${tasks.make.artifacts.out.csv}", after: ["make"] };
  const slow = { kind: "part", input: "slow", after: ["make"] };
  const id = await cluster.submit({ kind: "graph", input: { tasks: { make, use } } });
  broken = new Set(["slow"]);
  const longer = await cluster.submit({ kind: "graph", input: { tasks: { make, use, slow }, onFailure: "continue" } });
  expect(await allEnded([id, longer])).toEqual(["failed", "failed"]);
  const uses = [...(await below(id)), ...(await below(longer))].filter(({ name }) => name === "use");
  for (const filter of [{ name: "use" }, { states: ["failed"] as const }]) {
    const dry = await cluster.retryAll(filter, true);
    expect(dry.tasks).toEqual(expect.arrayContaining(uses.map((task) => task.id)));
    expect(dry.refused).toEqual([]);
    expect(await cluster.retryAll(filter)).toEqual(dry);
    await allEnded([id, longer]);
  }
});

test("a refused task says why and does not keep others from it", async () => {
  broken = new Set(["a", "b"]);
  const a = await cluster.submit(part.task("a", { uniqueKey: "k" }));
  await cluster.ended(a);
  const b = await cluster.submit(part.task("b"));
  await cluster.ended(b);
  const holder = await cluster.submit(part.task("a", { uniqueKey: "k", requires: ["gpu"] }));
  const { tasks, refused } = await cluster.retryAll({ states: ["failed"] });
  expect(tasks).toEqual([b]);
  expect(refused).toEqual([{ id: a, message: expect.stringContaining(holder), hint: "Wait for its end." }]);
});

test("is taken up again after the leader has died in the middle, and runs nothing twice", async () => {
  const names = Array.from({ length: 50 }, (_, index) => `part ${index}`);
  broken = new Set(names);
  const ids: string[] = [];
  for (const name of names) ids.push(await cluster.submit(part.task(name)));
  await allEnded(ids);
  broken = new Set();
  cluster.effects.length = 0;
  const retried = cluster.retryAll({ states: ["failed"] });
  await cluster.changeMaster();
  expect((await retried).refused).toEqual([]);
  expect((await cluster.retryAll({ states: ["failed"] })).tasks).toEqual([]);
  expect(new Set(await allEnded(ids))).toEqual(new Set(["success"]));
  expect(cluster.effects.toSorted()).toEqual(names.toSorted());
});
