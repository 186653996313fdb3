/** The schedule act's checks: a true story, and each lie that they must see. */
import { describe, expect, test } from "vitest";
import type { TaskDocument } from "../../model/task.ts";
import { checkSchedule, type ScheduleEvidence } from "./scheduleChecks.ts";

const from = 1_700_000_000_000;
const ticks = [0, 1, 2].map((count) => from + count * 1000);

function document(tickAt: number, change: Partial<TaskDocument> = {}): TaskDocument {
  const id = `each-second@${new Date(tickAt).toISOString()}`;
  const schedule = { name: "each-second", tickAt };
  return { id, state: "success", createdAt: tickAt + 3, schedule, ...change } as TaskDocument;
}

function success(task: string) {
  return { task, state: "success", attempt: 1 } as ScheduleEvidence["journal"]["changes"][number];
}

const documents = ticks.map((tick) => document(tick));
const markers = [1, 2].map((epoch) => ({ seq: epoch, epoch, at: from, address: "http://master" }));
const truth: ScheduleEvidence = {
  name: "each-second",
  ticks,
  schedule: { fired: 3, skipped: [] } as unknown as ScheduleEvidence["schedule"],
  documents,
  journal: { changes: documents.map(({ id }) => success(id)), markers },
  shotAt: [from + 1010],
};

function broken(change: Partial<ScheduleEvidence>): string[] {
  return checkSchedule({ ...truth, ...change })
    .filter(({ holds }) => !holds)
    .map(({ id }) => id);
}

test("a true story breaks nothing, and says what was seen", () => {
  expect(broken({})).toEqual([]);
  const seen = Object.fromEntries(checkSchedule(truth).map((check) => [check.id, check.seen]));
  expect(seen).toMatchObject({
    "ticks-once": "3 ticks, 3 tasks",
    "leaders-shot": "1 leaders shot, 1 of them on a tick; 1 elections after the first",
  });
});

describe("a lie", () => {
  const [first, second, third] = documents as [TaskDocument, TaskDocument, TaskDocument];
  const fired = (count: number, skipped: readonly object[] = []) =>
    ({ fired: count, skipped }) as unknown as ScheduleEvidence["schedule"];
  const lies: readonly [string, string, Partial<ScheduleEvidence>][] = [
    ["a tick without a task", "ticks-once", { documents: [first, second] }],
    ["a task without a tick", "ticks-once", { documents: [...documents, document(from + 5000)] }],
    ["a tick with two tasks", "ticks-once", { documents: [...documents, third] }],
    ["a task that succeeded twice", "ticks-once", { journal: { changes: [success("a"), success("a")], markers } }],
    ["a schedule that counts wrong", "ticks-told", { schedule: fired(2) }],
    ["a tick that was skipped", "ticks-told", { schedule: fired(3, [{ from, to: from, reason: "missed" }]) }],
    [
      "a task before its tick",
      "ticks-in-time",
      { documents: [document(from, { createdAt: from - 1 }), second, third] },
    ],
    [
      "a tick that was missed",
      "ticks-in-time",
      { documents: [document(from, { createdAt: from + 61_000 }), second, third] },
    ],
    ["a task that failed", "all-success", { documents: [document(from, { state: "failed" }), second, third] }],
    ["a shot that nobody followed", "leaders-shot", { shotAt: [from, from + 1, from + 2] }],
  ];
  for (const [name, id, change] of lies) {
    test(`is seen: ${name}`, () => {
      expect(broken(change)).toEqual([id]);
    });
  }
});
