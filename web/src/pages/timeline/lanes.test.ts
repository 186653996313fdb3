/** The layout of the timeline. */
import { expect, test } from "vitest";
import type { TaskAttempt, Worker } from "../../api/schema.ts";
import { dyingOn } from "./dying.ts";
import { lanesOf } from "./lanes.ts";

function attempt(worker: string, assignedAt: number, endedAt?: number): TaskAttempt {
  return {
    task: "t",
    name: "t",
    attempt: 1,
    worker,
    boot: "b",
    assignedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
  };
}

test("attempts that overlap stand in rows of their own, and a row is used again when it is free", () => {
  const [lane] = lanesOf([attempt("w", 30, 40), attempt("w", 0, 20), attempt("w", 10)], [], 100);
  expect(lane?.rows).toBe(2);
  expect(lane?.attempts.map(({ row, from, to }) => [row, from, to])).toEqual([
    [0, 0, 20],
    [1, 10, 100],
    [0, 30, 40],
  ]);
});

test("a worker without attempts has a lane, and lanes are in the order in which people count", () => {
  expect(lanesOf([attempt("w10", 0, 1)], ["w2", "w1"], 5).map(({ worker, rows }) => [worker, rows])).toEqual([
    ["w1", 1],
    ["w2", 1],
    ["w10", 1],
  ]);
});

test("an attempt that is over and may still be ending goes on to the present, beside its successor", () => {
  const old = { ...attempt("w", 0, 20), outcome: "killed" as const };
  const next = { ...attempt("w", 20), attempt: 2 };
  const isDying = dyingOn([{ id: "w", dying: [{ task: "t", attempt: 1 }] } as Worker]);
  const [lane] = lanesOf([old, next], [], 100, isDying);
  expect(lane?.attempts.map(({ row, from, to, overAt }) => [row, from, to, overAt])).toEqual([
    [0, 0, 100, 20],
    [1, 20, 100, null],
  ]);
  expect(lanesOf([old, next], [], 100)[0]?.rows).toBe(1);
});

test("an attempt whose process went on goes on until that has ended, and no further", () => {
  const old = { ...attempt("w", 0, 20), outcome: "killed" as const, processEndedAt: 35 };
  const next = { ...attempt("w", 20, 50), attempt: 2 };
  const places = (attempts: readonly TaskAttempt[]) =>
    lanesOf(attempts, [], 100)[0]?.attempts.map(({ row, from, to, overAt }) => [row, from, to, overAt]);
  expect(places([old, next])).toEqual([
    [0, 0, 35, 20],
    [1, 20, 50, null],
  ]);
  // It had ended before its worker was given up.
  expect(places([{ ...old, processEndedAt: 5 }, next])).toEqual([
    [0, 0, 20, null],
    [0, 20, 50, null],
  ]);
});
