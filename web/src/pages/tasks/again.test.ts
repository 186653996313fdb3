/** A task that is run again is the same in all that is not about its first run. */
import { expect, test } from "vitest";
import type { Submission, Task } from "../../api/schema.ts";
import { submissionOf } from "./again.ts";

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
