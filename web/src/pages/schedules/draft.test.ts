/** What the fields of a schedule's form hold, and what comes of them. */
import { expect, test } from "vitest";
import type { Schedule } from "../../api/schema.ts";
import { UnreadableField } from "../../parts/fieldTexts.ts";
import { type Draft, draftOf, localField, scheduleOf } from "./draft.ts";

const again = (schedule: Schedule, changes: Partial<Draft> = {}) =>
  scheduleOf({ ...draftOf(schedule, "UTC"), ...changes }, schedule.variables ?? {}, schedule);

test("a schedule that is opened and saved as it was says the same", () => {
  const task = { kind: "sleep", input: { seconds: 1 } };
  const policies = { overlap: "queue", missed: "all" } as const;
  const schedules: Schedule[] = [
    { when: { cron: "30 2 * * *", timeZone: "Asia/Tokyo" }, task, description: "nightly", ...policies },
    { when: { everyMs: 5_400_000, from: 17 }, template: "report", variables: { rows: 3 }, ...policies },
    { when: { at: 1_800_000_000_000 - (1_800_000_000_000 % 60_000) }, task, ...policies },
  ];
  for (const schedule of schedules) expect(again(schedule)).toEqual(schedule);
});

test("what the form has no field for stays", () => {
  const more = { jitterMs: 500, endsAt: 1_900_000_000_000, isPaused: true };
  const schedule: Schedule = { when: { cron: "0 1 * * *" }, task: { kind: "sleep" }, ...more };
  expect(again(schedule, { cron: "0 3 * * *" })).toMatchObject({
    ...more,
    when: { cron: "0 3 * * *", timeZone: "UTC" },
  });
});

test("a description that is emptied is gone", () => {
  const schedule: Schedule = { when: { cron: "0 1 * * *" }, task: { kind: "sleep" }, description: "nightly" };
  expect(again(schedule, { description: "weekly" })).toMatchObject({ description: "weekly" });
  expect(again(schedule, { description: "" })).not.toHaveProperty("description");
});

test("a template takes the place of a task, and the other way round", () => {
  const schedule: Schedule = { when: { cron: "0 1 * * *" }, task: { kind: "sleep" } };
  const made = scheduleOf({ ...draftOf(schedule, "UTC"), template: "report" }, { rows: 1 }, schedule);
  expect(made).toMatchObject({ template: "report", variables: { rows: 1 } });
  expect(made).not.toHaveProperty("task");
  const back = scheduleOf({ ...draftOf(made, "UTC"), template: "" }, {}, made);
  expect(back).not.toHaveProperty("template");
  expect(back).not.toHaveProperty("variables");
});

test("a field that cannot be read says what it takes", () => {
  const schedule: Schedule = { when: { cron: "0 1 * * *" }, task: { kind: "sleep" } };
  for (const wrong of [
    { when: "every", every: "soon" },
    { when: "once", at: "" },
    { task: "{" },
    { task: "[]" },
  ] as const)
    expect(() => again(schedule, wrong)).toThrow(UnreadableField);
});

test("a field for a time holds the viewer's", () => {
  const at = new Date(2026, 10, 27, 2, 30).getTime();
  expect(localField(at)).toBe("2026-11-27T02:30");
  expect(new Date(localField(at)).getTime()).toBe(at);
});
