/** Bulk operations over a whole master and its store: page by page, in chunks, with others in between, and again after they were broken off. */
import { afterEach, expect, test } from "vitest";
import type { TaskId } from "../model/ids.ts";
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

test("finished tasks are deleted and leave the counts; families and what has not ended stay", async () => {
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

test("a state in which it makes no sense is refused, with what to do", async () => {
  const { service } = await startMaster();
  const of = (state: "success" | "running") => ({ ...everything, filter: { states: [state] } });
  await expect(service.bulk.run("cancel", of("success"))).rejects.toMatchObject({ code: "invalid" });
  await expect(service.bulk.run("delete", of("running"))).rejects.toMatchObject({
    code: "invalid",
    details: { hint: "Cancel them first." },
  });
});
