/** Nodes of a graph are retried with their graph, each graph once; all else is retried by itself. */
import { expect, test } from "vitest";
import type { Task } from "../../api/schema.ts";
import { planRetries } from "./retryPlan.ts";

const task = (id: string, fields: Partial<Task> = {}) => ({ id, kind: "exec", state: "failed", ...fields }) as Task;
const all = [
  task("alone"),
  task("graph", { kind: "graph" }),
  task("load", { parent: "graph" }),
  task("inner", { kind: "graph", parent: "graph" }),
  task("deep", { parent: "inner" }),
  task("handler", { kind: "report", state: "success" }),
  task("child", { parent: "handler" }),
  task("open", { kind: "graph", state: "waiting" }),
  task("early", { parent: "open" }),
  task("job", { kind: "map-reduce" }),
  task("map", { kind: "map-reduce.map", parent: "job" }),
];
const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);

test("each graph is retried once, for whichever of its nodes are chosen, and the outermost one counts", async () => {
  const reads: string[] = [];
  const read = (id: string) => {
    reads.push(id);
    return Promise.resolve(all.find((each) => each.id === id) ?? null);
  };
  const chosen = all.filter(({ id }) => ["alone", "graph", "load", "deep", "child", "early", "map"].includes(id));
  const plan = await planRetries(chosen, read);
  expect(ids(plan.alone)).toEqual(["alone", "child"]);
  expect(ids(plan.wholes)).toEqual(["graph", "job"]);
  expect(ids(plan.parts)).toEqual(["load", "deep", "map"]);
  expect(ids(plan.left)).toEqual(["early"]);
  expect(reads.toSorted()).toEqual(["handler", "inner", "job", "open"]);
});

test("a parent that is not there for whoever asks keeps nothing from being tried", async () => {
  const plan = await planRetries([task("child", { parent: "gone" })], () => Promise.resolve(null));
  expect(ids(plan.alone)).toEqual(["child"]);
});
