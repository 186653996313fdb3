/** What is said to be wrong: only what the reader can know of, and with commands that work. */
import { expect, test } from "vitest";
import type { Queue, Task, Worker } from "../../api/schema.ts";
import { problemsOf, type Seen } from "./problems.ts";

const nothing: Seen = {
  now: 0,
  seesAll: true,
  status: undefined,
  statusReadAt: 0,
  leader: undefined,
  masters: undefined,
  newest: undefined,
  workers: undefined,
  workersReadAt: 0,
  queues: undefined,
  schedules: undefined,
  waiting: undefined,
};

test("who is bound to queues is not told that no worker is connected at all", () => {
  const all = problemsOf({ ...nothing, workers: [] });
  expect(all.map(({ text }) => text)).toEqual(["No worker is connected, so no task can run."]);
  const bound = problemsOf({ ...nothing, workers: [], seesAll: false });
  expect(bound.map(({ text }) => text)).toEqual([
    "No connected worker serves your queues, so none of their tasks can run.",
  ]);
});

test("a task for one worker asks for a worker of that name, as names are no labels that can be given", () => {
  const worker = {
    id: "ada",
    state: "connected",
    queues: ["default"],
    kinds: ["sleep"],
    trouble: null,
  } as unknown as Worker;
  const queue = { name: "default", isPaused: false, workers: 1, tasks: {} } as unknown as Queue;
  const adviceFor = (...requires: string[]) => {
    const waiting = [{ queue: "default", kind: "sleep", requires } as unknown as Task];
    return problemsOf({ ...nothing, workers: [worker], queues: [queue], waiting }).map(({ advice }) => advice);
  };
  expect(adviceFor("worker=bo")).toEqual(["outlast worker --name bo"]);
  expect(adviceFor("worker=bo", "gpu")).toEqual(["outlast worker --name bo --labels gpu"]);
  expect(adviceFor("worker=ada")).toEqual([]);
});
