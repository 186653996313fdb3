/** What is said to be wrong: only what the reader can know of, and with commands that work. */
import { expect, test } from "vitest";
import type { Master, MasterStatus, Queue, Task, Worker } from "../../api/schema.ts";
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

test("nobody is said to send no heartbeats while no master leads, nor in the first moments of a leader", () => {
  const worker = { id: "ada", state: "suspect", heardAt: null, trouble: null, queues: [] } as unknown as Worker;
  const textsOf = (status: object, masters: readonly Master[]) =>
    problemsOf({
      ...nothing,
      status: { now: 100_000, trouble: null, stats: { commitMs: { p99: null } }, ...status } as unknown as MasterStatus,
      masters,
      workers: [worker],
    }).map(({ text }) => text);
  // What was read of the masters before may be old.
  const before = [{ name: "m1", role: "leader", roleSince: 10_000, address: "http://localhost:1" } as Master];
  const silent = "Worker ada does not send heartbeats";
  expect(textsOf({ role: "standby", leader: null }, before).join(" ")).not.toContain(silent);
  expect(textsOf({ role: "leader", leader: "http://localhost:1", roleSince: 99_000 }, before).join(" ")).not.toContain(
    silent,
  );
  expect(textsOf({ role: "leader", leader: "http://localhost:1", roleSince: 10_000 }, before).join(" ")).toContain(
    silent,
  );
});

test("tasks that wait in a paused queue are led to, and the queue can be resumed", () => {
  const queue = { name: "mail", isPaused: true, workers: 1, tasks: { created: 2 } } as unknown as Queue;
  expect(problemsOf({ ...nothing, queues: [queue] })).toEqual([
    {
      tone: "warn",
      text: "2 tasks wait in the queue mail, which is paused.",
      advice: null,
      about: { tasks: { queue: "mail", state: "created,retrying,killed", order: "oldest" } },
      paused: "mail",
    },
  ]);
});
