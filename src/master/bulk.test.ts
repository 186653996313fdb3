/** Bulk operations over a whole master and its store: page by page, in chunks, with others in between, and again after they were broken off. */
import { afterEach, expect, test, vi } from "vitest";
import type { TaskId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import { startSoloMaster } from "../proof/fakes/soloMaster.ts";
import type { Master } from "./master.ts";
import type { BulkAction, BulkRequest } from "./service/bulkApi.ts";

const masters: Master[] = [];

afterEach(async () => {
  for (const master of masters.splice(0)) await master.stop();
});

async function startMaster(): Promise<Master> {
  const master = await startSoloMaster();
  masters.push(master);
  return master;
}

const everything = { filter: { queue: "q" }, cursor: null, limit: limits.bulkPageMax, isDryRun: false } as const;

async function submit({ service }: Master, count: number, queue = "q"): Promise<readonly TaskId[]> {
  const task = { kind: "sleep", input: { seconds: 1 }, queue };
  return (
    await service.submit(
      Array.from({ length: count }, () => task),
      null,
    )
  ).map(({ id }) => id);
}

/** Part by part to the end. */
async function runAll({ service }: Master, action: BulkAction, request: BulkRequest): Promise<TaskId[]> {
  const done: TaskId[] = [];
  for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
    const answer = await service.bulk.run(action, { ...request, cursor });
    done.push(...answer.tasks);
    ({ cursor } = answer);
  }
  return done;
}

test("what a filter matches is cancelled, the oldest first, and nothing else", async () => {
  const master = await startMaster();
  const ids = await submit(master, 1_200);
  const [other] = await submit(master, 1, "other");
  expect(await runAll(master, "cancel", { ...everything, isDryRun: true })).toEqual(ids);
  expect(master.service.stats().tasks).toMatchObject({ created: 1_201 });
  expect(await runAll(master, "cancel", everything)).toEqual(ids);
  expect(master.service.stats().tasks).toMatchObject({ created: 1, cancelled: 1_200 });
  expect((await master.service.readTask(other as TaskId))?.state).toBe("created");
  expect(await runAll(master, "cancel", everything)).toEqual([]);
});

test("one that is broken off is repeated, and does the rest", async () => {
  const master = await startMaster();
  const ids = await submit(master, 30);
  const first = await master.service.bulk.run("cancel", { ...everything, limit: 10 });
  expect(first.tasks).toEqual(ids.slice(0, 10));
  expect(await runAll(master, "cancel", { ...everything, limit: 7 })).toEqual(ids.slice(10));
});

test("others are answered while it goes on", async () => {
  const master = await startMaster();
  await submit(master, limits.bulkPageMax);
  const order: string[] = [];
  const bulk = master.service.bulk.run("cancel", everything).then(() => order.push("bulk"));
  await submit(master, 1, "other").then(() => order.push("submit"));
  await bulk;
  expect(order).toEqual(["submit", "bulk"]);
});

test("finished tasks are deleted and leave the counts; what has not ended stays", async () => {
  const master = await startMaster();
  const ids = await submit(master, 250);
  await runAll(master, "cancel", { ...everything, filter: { queue: "q" } });
  const [open] = await submit(master, 1);
  expect(await runAll(master, "delete", everything)).toEqual(ids);
  expect(await master.service.readTask(ids[0] as TaskId)).toBeNull();
  expect((await master.service.readTask(open as TaskId))?.state).toBe("created");
  expect(master.service.stats().tasks).toMatchObject({ created: 1 });
  expect(master.service.stats().tasks.cancelled ?? 0).toBe(0);
});

/** A graph of one graph, whose leaves wait for nothing. */
function graphOf(leaves: number): Json {
  const sleep = { kind: "sleep", input: { seconds: 1 }, queue: "leaves" };
  const tasks = Object.fromEntries(Array.from({ length: leaves }, (_, index) => [`n${index}`, sleep]));
  return { tasks: { inner: { kind: "graph", input: { tasks } }, beside: sleep } };
}

/** Submits graphs, waits for all of their tasks, and cancels them. */
async function endedGraphs({ service }: Master, count: number, leaves: number): Promise<readonly TaskId[]> {
  const graphs = Array.from({ length: count }, (_, index) => `g${index}` as TaskId);
  for (const id of graphs) await service.submit([{ id, kind: "graph", input: graphOf(leaves), queue: "q" }], null);
  await vi.waitFor(() =>
    expect(service.stats().tasks).toMatchObject({ created: count * (leaves + 1), waiting: 2 * count }),
  );
  for (const id of graphs) await service.cancel(id);
  await vi.waitFor(() => expect(service.stats().tasks.cancelled).toBe(count * (leaves + 3)));
  return graphs;
}

test("a family is deleted whole, its root last, and named once it is gone; a dry run names the same", async () => {
  const master = await startMaster();
  const graphs = await endedGraphs(master, 3, 150);
  const [open] = await submit(master, 1);
  const wanted = { ...everything, filter: { queue: "q" } };
  expect(await runAll(master, "delete", { ...wanted, isDryRun: true })).toEqual(graphs);
  expect(await runAll(master, "delete", { ...wanted, limit: 2 })).toEqual(graphs);
  const left = await master.service.listTasks({ order: "oldest", cursor: null, limit: 10 });
  expect(left.tasks.map(({ id }) => id)).toEqual([open]);
  expect(master.service.stats().tasks.cancelled ?? 0).toBe(0);
});

test("a large family goes in several parts, and what follows it is not passed over", async () => {
  const master = await startMaster();
  const [large] = await endedGraphs(master, 1, limits.bulkFamilyTasksMax + 200);
  const [small] = await submit(master, 1);
  await master.service.cancel(small as TaskId);
  const first = await master.service.bulk.run("delete", everything);
  // The small one is alone, and needs no budget.
  expect(first).toMatchObject({ tasks: [small], refused: [] });
  expect((await master.service.readTask(large as TaskId))?.state).toBe("cancelled");
  const second = await master.service.bulk.run("delete", { ...everything, cursor: first.cursor });
  expect(second).toEqual({ tasks: [large], refused: [], cursor: null });
  expect(master.service.stats().tasks.cancelled ?? 0).toBe(0);
});

test("a family that an unfinished task waits for stays, and so does one that is deleted by somebody bound to queues", async () => {
  const master = await startMaster();
  const [graph] = await endedGraphs(master, 1, 2);
  const bound = { name: "user:bob", queues: ["q"] };
  expect(await master.service.bulk.run("delete", everything, bound)).toMatchObject({
    tasks: [],
    refused: [{ id: graph, message: expect.stringContaining("bound to no queues") }],
  });
  const after = [graph as TaskId];
  await master.service.submit(
    [{ kind: "sleep", input: { seconds: 1 }, queue: "later", after, runIf: "always", startAt: Date.now() + 1e9 }],
    null,
  );
  expect(await master.service.bulk.run("delete", everything)).toMatchObject({
    tasks: [],
    refused: [{ id: graph, message: expect.stringContaining("waits for it") }],
  });
  expect(master.service.stats().tasks.cancelled).toBe(5);
});

test("children of a task, or only roots, can be cancelled; children are not deleted without their family", async () => {
  const master = await startMaster();
  await master.service.submit([{ id: "g", kind: "graph", input: graphOf(3), queue: "q" }], null);
  await vi.waitFor(() => expect(master.service.stats().tasks).toMatchObject({ created: 4, waiting: 2 }));
  const parent = "g" as TaskId;
  const names = (ids: readonly TaskId[]) =>
    Promise.all(ids.map(async (id) => (await master.service.readTask(id))?.name));
  const children = await runAll(master, "cancel", { ...everything, filter: { parent }, isDryRun: true });
  expect(await names(children)).toEqual(["inner", "beside"]);
  const roots = { ...everything, filter: { isRoot: true }, isDryRun: true } as const;
  expect(await runAll(master, "cancel", roots)).toEqual(["g"]);
  await expect(runAll(master, "delete", { ...everything, filter: { parent } })).rejects.toMatchObject({
    code: "invalid",
    details: { path: "/filter/parent" },
  });
});

test("a state in which it makes no sense is refused, with what to do", async () => {
  const { service } = await startMaster();
  const of = (state: "success" | "running") => ({ ...everything, filter: { states: [state] } });
  await expect(service.bulk.run("cancel", of("success"))).rejects.toMatchObject({ code: "invalid" });
  await expect(service.bulk.run("delete", of("running"))).rejects.toMatchObject({
    code: "invalid",
    details: { hint: "Cancel them first." },
  });
});
