/** A task that is run again is the same in all that is not about its first run. */
import { expect, test } from "vitest";
import type { Submission, Task } from "../../api/schema.ts";
import { canRunAgain, submissionOf } from "./again.ts";

test("everything that was asked for is asked for again, but ids, instants and other tasks", () => {
  const limits = { attemptsMax: 3, killsMax: 4, timeoutMs: 5, backoffBaseMs: 6, backoffFactor: 2, backoffMaxMs: 8 };
  const wish: Submission = {
    ...{
      name: "n",
      kind: "exec",
      input: { command: ["true"] },
      queue: "q",
      priority: 2,
      requires: ["gpu"],
      broadcast: true,
    },
    ...{ concurrencyKey: "k", concurrencyMax: 2, uniqueKey: "u", onConflict: "refuse", deadlineMs: 9 },
  };
  const once = { id: "t", startAt: 7, expiresAt: 8, after: ["x"], runIf: "always", state: "failed" };
  const task = { ...wish, ...once, limits } as unknown as Task;
  expect(submissionOf(task)).toEqual({ ...wish, ...limits });
});

test("what was left out stays left out", () => {
  const limits = {
    attemptsMax: 1,
    killsMax: null,
    timeoutMs: null,
    backoffBaseMs: 1,
    backoffFactor: 2,
    backoffMaxMs: 3,
  };
  const task = { name: "n", kind: "sleep", input: { seconds: 1 }, queue: "q", priority: 0, limits } as unknown as Task;
  expect(Object.keys(submissionOf(task)).sort()).toEqual([
    "attemptsMax",
    "backoffBaseMs",
    "backoffFactor",
    "backoffMaxMs",
    "input",
    "kind",
    "name",
    "priority",
    "queue",
  ]);
});

test("a graph is asked for without the fields that say how workers try a task", () => {
  const limits = { attemptsMax: 3, killsMax: 4, timeoutMs: 5, backoffBaseMs: 6, backoffFactor: 2, backoffMaxMs: 8 };
  const wish = { name: "n", kind: "graph", input: { tasks: {} }, queue: "q", priority: 0, deadlineMs: 9 };
  expect(submissionOf({ ...wish, limits } as unknown as Task)).toEqual(wish);
});

test("outputs of the tasks that it waited for stay in its input, and parts of a job are no work of their own", () => {
  const filled = { command: ["echo", "7"] };
  const task = { kind: "exec", input: { command: ["echo", "${tasks.a.output}"] }, resolvedInput: filled, limits: {} };
  expect(submissionOf(task as unknown as Task).input).toEqual(filled);
  expect(["exec", "graph", "map-reduce", "map-reduce.map"].filter((kind) => canRunAgain({ kind }))).toHaveLength(3);
});
