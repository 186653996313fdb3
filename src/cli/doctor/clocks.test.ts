/** What the doctor concludes from instants that workers and masters wrote down. */
import { expect, test } from "vitest";
import type { TaskDocument } from "../../model/task.ts";
import { checkOffsets, checkWorkerClocks } from "./clocks.ts";

/** A task that was assigned at 100 s and ended at 110 s by its master's clock. */
function task(host: string, startedAt: number, more: Partial<TaskDocument> = {}): TaskDocument {
  return { host, state: "success", assignedAt: 100_000, startedAt, changedAt: 110_000, ...more } as TaskDocument;
}

function told(...tasks: readonly TaskDocument[]): string[] {
  return checkWorkerClocks(tasks).map(({ message }) => message);
}

test("clocks that agree, or differ by less than matters, are not told of", () => {
  expect(told(task("w1", 100_010), task("w2", 99_000), task("w3", 109_999))).toEqual([]);
});

test("a worker whose attempt began before it was assigned is behind", () => {
  expect(told(task("w1", 100_010), task("w2", 95_000), task("w2", 70_000))).toEqual([
    "The clock of worker w2 is behind its master's by at least 30s.",
  ]);
});

test("a worker whose attempt began after it was committed is ahead", () => {
  expect(told(task("w1", 3_710_000))).toEqual(["The clock of worker w1 is ahead of its master's by at least 1h."]);
});

test("nothing is concluded from a task that runs, or never ran", () => {
  const { startedAt: _, host: __, ...never } = task("w1", 0, { state: "cancelled" });
  expect(told(task("w1", 500_000, { state: "running" }), never as TaskDocument)).toEqual([]);
});

test("a master that counts time by another clock than its machine's is told of", () => {
  const told = (clockOffsetMs?: number) =>
    checkOffsets([{ address: "http://m1", role: "leader", ...(clockOffsetMs !== undefined && { clockOffsetMs }) }]).map(
      ({ message }) => message,
    );
  expect([told(), told(0), told(-800)]).toEqual([[], [], []]);
  expect(told(3_600_000)).toEqual(["The leader at http://m1 counts time 1h ahead of its machine's wall clock."]);
  expect(told(-60_000)).toEqual(["The leader at http://m1 counts time 1m behind its machine's wall clock."]);
});
