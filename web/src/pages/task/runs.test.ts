/** Attempts of a task that was retried belong to its present run or to an earlier one. */
import { expect, test } from "vitest";
import { isBeforeRetry, runsOf } from "./runs.ts";

const attempt = (number: number, assignedAt: number) => ({ attempt: number, worker: "w", boot: "b", assignedAt });

test("a task that was never retried has one run", () => {
  const attempts = [attempt(1, 10), attempt(2, 20)];
  expect(runsOf({}, attempts)).toEqual({ present: attempts, earlier: [] });
  expect(isBeforeRetry({ assignedAt: 20 })).toBe(false);
});

test("what was assigned before the retry is of an earlier run", () => {
  const [first, second] = [attempt(1, 10), attempt(2, 20)];
  expect(runsOf({ retriedAt: 15 }, [first, second])).toEqual({ present: [second], earlier: [first] });
  expect(isBeforeRetry({ retriedAt: 15, assignedAt: 10 })).toBe(true);
  expect(isBeforeRetry({ retriedAt: 15, assignedAt: 20 })).toBe(false);
});
