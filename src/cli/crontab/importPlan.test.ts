/** An edited crontab that is imported again: each schedule stays with its command. */
import { expect, test } from "vitest";
import type { ScheduleContent, ScheduleView } from "../../model/schedules/schedule.ts";
import { type ImportPlan, importMark, planImport } from "./importPlan.ts";
import { readCrontab } from "./readCrontab.ts";

const noMore: readonly ScheduleView[] = [];

/** @param before what is there */
function plan(text: string, before: readonly ScheduleView[] = noMore, prefix = ""): ImportPlan {
  const { commands } = readCrontab(text, {
    ...{ description: importMark(prefix), timeZone: "UTC", overlap: "allow", attemptsMax: 1, isSystem: false },
  });
  return planImport(commands, before, prefix);
}

function view(name: string, content: ScheduleContent, isPaused = false): ScheduleView {
  const ticks = { changedAt: 0, nextAt: null, settledAt: 0, queued: [], fired: 0, skipped: [], backfilled: [] };
  return { name, content, isPaused, ...ticks };
}

/** What is there after an import. */
function imported(text: string, before: readonly ScheduleView[] = noMore, prefix = ""): readonly ScheduleView[] {
  const { lines, gone } = plan(text, before, prefix);
  return [...gone, ...lines.map(({ name, content, isPaused }) => view(name, content, isPaused))];
}

const rows = ({ lines }: ImportPlan) => lines.map(({ name, state, program }) => `${name} ${state} ${program}`);
const commandsOf = (schedules: readonly ScheduleView[]) =>
  schedules.map(({ content }) => (content.task!["input"] as { command: string[] }).command[0]);

test("a line that goes leaves the others as they are, and its schedule is known as gone", () => {
  const before = imported("* * * * * echo A\n* * * * * echo B", noMore, "t-");
  const after = plan("* * * * * echo B", before, "t-");
  expect(after.lines).toMatchObject([{ name: before[1]?.name, state: "unchanged" }]);
  expect(commandsOf(after.gone)).toEqual(["cd; echo A"]);
});

test("a line above does not move a pause to another command", () => {
  const [first] = imported("* * * * * echo A");
  const paused = { ...first, isPaused: true } as ScheduleView;
  const after = plan("* * * * * echo new\n* * * * * echo A", [paused]);
  expect(after.lines).toMatchObject([
    { program: "echo new", state: "new", isPaused: false },
    { program: "echo A", state: "unchanged", isPaused: true, name: paused.name },
  ]);
});

test("other times, or another variable, are a change; another command is another schedule", () => {
  const before = imported("0 1 * * * job");
  expect(plan("0 2 * * * job", before)).toMatchObject({
    lines: [{ name: before[0]?.name, state: "changed", changes: ["when"] }],
    gone: [],
  });
  expect(plan("A=1\n0 1 * * * job", before)).toMatchObject({ lines: [{ name: before[0]?.name, state: "changed" }] });
  expect(plan("0 1 * * * job2", before)).toMatchObject({
    lines: [{ state: "new" }],
    gone: [{ name: before[0]?.name }],
  });
});

test("lines of the same command keep the schedules of their times", () => {
  const before = imported("0 1 * * * job\n0 2 * * * job\n0 2 * * * job");
  const [one = "", two = "", three = ""] = before.map(({ name }) => name);
  expect([two, three]).toEqual([`${one}-2`, `${one}-3`]);
  expect(rows(plan("0 2 * * * job\n0 2 * * * job", before))).toEqual([
    `${two} unchanged job`,
    `${three} unchanged job`,
  ]);
  expect(rows(plan("0 2 * * * job\n0 1 * * * job\n0 2 * * * job", before))).toEqual([
    `${two} unchanged job`,
    `${one} unchanged job`,
    `${three} unchanged job`,
  ]);
  expect(rows(plan("0 3 * * * job\n0 2 * * * job\n0 2 * * * job", before))).toEqual([
    `${one} changed job`,
    `${two} unchanged job`,
    `${three} unchanged job`,
  ]);
  expect(rows(plan("0 0 * * * job\n0 1 * * * job", before.slice(0, 1)))).toEqual([
    `${two} new job`,
    `${one} unchanged job`,
  ]);
});

test("defaults that the dashboard writes out are no change", () => {
  const [line] = imported("0 1 * * * job");
  const { name = "", content } = line ?? {};
  const before = view(name, { ...(content as ScheduleContent), missed: "latest", isPaused: false });
  expect(plan("0 1 * * * job", [before]).lines).toMatchObject([{ state: "unchanged" }]);
});

test("a schedule that was made by hand, or with another prefix, is no import's own", () => {
  const [line] = imported("0 1 * * * job");
  const { description: _mark, ...byHand } = line!.content;
  const clash = plan("0 1 * * * job", [view(line?.name ?? "", byHand)]);
  expect(clash.clashes).toMatchObject([{ line: 1, name: line?.name }]);
  const other = plan("0 1 * * * job", imported("0 1 * * * job", noMore, "a-"), "b-");
  expect(other).toMatchObject({ clashes: [], gone: [], doubles: [{ line: { line: 1 } }] });
  expect(other.doubles[0]?.name).toMatch(/^a-job-/);
});
