/**
 * I21: each tick makes exactly one task, or a row of the record says why it made none, and rightly so. What the ticks are is worked
 * out here again, instant by instant, from what the schedule says.
 */
import type { ScheduleRecord, SkippedTicks, Span } from "../../model/schedules/schedule.ts";
import { checker, type Report } from "./checker.ts";
import { type FiredTick, type ScheduleStep, scheduleSteps, ticksOf } from "./scheduleSteps.ts";

/** A tick is late by so much before it counts as missed. */
const missedGraceMs = 60_000;
/** The first tick that follows is within this, in every simulated schedule that has one. */
const nextWithinMs = 3_600_000;

export const ticksOnce = checker("I21", "each tick makes one task, or leaves a word on why", (history, report) => {
  const { steps, loose } = scheduleSteps(history);
  for (const { id, entry } of loose)
    report(`the tick's task ${id} was made in entry ${entry.seq} without a word on its schedule`, id);
  const everFired = new Map<string, Map<number, FiredTick>>();
  for (const step of steps) {
    const known = everFired.get(step.name) ?? new Map<number, FiredTick>();
    everFired.set(step.name, known);
    checkFired(step, known, report);
    if (step.before !== null) checkSettled(step, step.before, report);
    checkNext(step, report);
    checkRows(step, known, report);
    checkBackfill(step, known, report);
  }
});

function checkFired(
  { name, before, after, fired, entry }: ScheduleStep,
  known: Map<number, FiredTick>,
  report: Report,
): void {
  for (const tick of fired) {
    const { id, tickAt, isBackfilled } = tick;
    if (known.has(tickAt)) report(`the tick ${id} made a second task, in entry ${entry.seq}`, id);
    known.set(tickAt, tick);
    if (!id.startsWith(`${name}@`) || Date.parse(id.slice(name.length + 1)) !== tickAt)
      report(`the task of the tick ${tickAt} of ${name} is called ${id}`, id);
    const isQueued = before?.queued.includes(tickAt) === true;
    const hasTick = [before ?? after, after].some(({ content }) =>
      ticksOf(content, tickAt - 1, tickAt).some((ticks) => ticks.length > 0),
    );
    // One that was queued may be of an earlier content.
    if (!hasTick && !isQueued) report(`${id} was made in entry ${entry.seq}, and the schedule has no such tick`, id);
    if (tickAt > after.settledAt) report(`${id} was made in entry ${entry.seq}, which does not say so`, id);
    // What waited had come before the pause.
    if (!isBackfilled && !isQueued && before?.isPaused === true && after.isPaused)
      report(`${id} was made in entry ${entry.seq}, while the schedule was paused`, id);
    if (!isBackfilled && !isQueued && tickAt <= (before?.settledAt ?? -1))
      report(`${id} was made in entry ${entry.seq}, long after its tick was settled`, id);
  }
}

/** All that was owed by what the record before said, up to what this one says is settled. */
function checkSettled({ name, after, fired, entry }: ScheduleStep, before: ScheduleRecord, report: Report): void {
  if (after.settledAt < before.settledAt)
    report(`entry ${entry.seq} takes back that the ticks of ${name} up to ${before.settledAt} are settled`, name);
  const made = new Set(fired.map(({ tickAt }) => tickAt));
  const isAccounted = (tick: number): boolean =>
    made.has(tick) || after.queued.includes(tick) || after.skipped.some((row) => isIn(row, tick));
  const opinions = before.isRemoved === true ? [[]] : ticksOf(before.content, before.settledAt, after.settledAt);
  const owed = (opinions[0] ?? []).filter((tick) => opinions.every((ticks) => ticks.includes(tick)));
  for (const tick of [...owed, ...before.queued]) {
    if (!isAccounted(tick)) report(`entry ${entry.seq} passes over the tick ${tick} of ${name} without a word`, name);
  }
}

/** The next tick is the first one that is not settled. */
function checkNext({ name, before, after, entry }: ScheduleStep, report: Report): void {
  const { nextAt, settledAt, content } = after;
  if (after.isRemoved === true) {
    if (nextAt !== null || after.queued.length > 0)
      report(`${name} was removed in entry ${entry.seq}, and has ticks`, name);
    return;
  }
  if (before?.nextAt === nextAt && before.settledAt === settledAt) return;
  const { when, startsAt = 0 } = content;
  // A clock that was set back, perhaps by more than that, may show a time before the first tick of all.
  const firstAt = "everyMs" in when ? (when.from ?? 0) : 0;
  const until = Math.max(settledAt, startsAt, firstAt) + nextWithinMs;
  const ticks = ticksOf(content, settledAt, "at" in when ? Number.POSITIVE_INFINITY : until);
  const expected = ticks.map((each) => each[0] ?? null);
  if (!expected.includes(nextAt))
    report(
      `entry ${entry.seq} says that ${nextAt} is the next tick of ${name}, and not ${expected.join(" or ")}`,
      name,
    );
}

function checkRows(
  { name, before, after, fired, entry }: ScheduleStep,
  known: Map<number, FiredTick>,
  report: Report,
): void {
  const old = new Set((before?.skipped ?? []).map(rowText));
  for (const row of after.skipped) {
    if (old.has(rowText(row))) continue;
    for (const { tickAt, isBackfilled, id } of known.values()) {
      if (!isBackfilled && isIn(row, tickAt)) report(`${id} was made, and entry ${entry.seq} says that it was not`, id);
    }
    const problem = problemOf(row, before, after, entry.at);
    if (problem !== null)
      report(`in entry ${entry.seq} ticks of ${name} are skipped as ${row.reason}, ${problem}`, name);
  }
  if (after.fired - (before?.fired ?? 0) !== fired.filter(({ isBackfilled }) => !isBackfilled).length)
    report(`entry ${entry.seq} counts ${after.fired} tasks of ${name}`, name);
}

/** Whether a row may be there for its reason; overlaps are looked at by I23. */
function problemOf(
  { from, reason }: SkippedTicks,
  before: ScheduleRecord | null,
  after: ScheduleRecord,
  at: number,
): string | null {
  switch (reason) {
    case "missed": {
      // They were late by what the schedule said then: before it was edited in this entry, perhaps more than once.
      const isEdited = before?.fingerprint !== after.fingerprint || before?.changedAt !== after.changedAt;
      const jitterMs = isEdited ? 0 : (after.content.jitterMs ?? 0);
      return from <= at - missedGraceMs - jitterMs ? null : "though they are not late";
    }
    case "paused":
      return before?.isPaused === true ? null : "though it was not paused";
    case "edited":
      return before?.fingerprint === after.fingerprint ? "though it was not edited" : null;
    case "removed":
      return before?.isRemoved === true || after.isRemoved === true ? null : "though it was not removed";
    case "refused":
      return "though there was room for their tasks";
    case "overlap":
    case "queue-full":
    case "replaced":
      return (before?.content.overlap ?? "allow") === "allow" ? "though they may overlap" : null;
    default:
      return reason satisfies never;
  }
}

/** What was backfilled has a task for each tick that had none. */
function checkBackfill(
  { name, before, after, fired, entry }: ScheduleStep,
  known: ReadonlyMap<number, FiredTick>,
  report: Report,
): void {
  const made = new Set(fired.filter(({ isBackfilled }) => isBackfilled).map(({ tickAt }) => tickAt));
  // Also when their tasks are long forgotten: a tick is made up for once.
  for (const { tickAt, isBackfilled } of known.values()) {
    if (isBackfilled && !after.backfilled.some((span) => isIn(span, tickAt)))
      report(`after entry ${entry.seq} nothing says that the tick ${tickAt} of ${name} was backfilled`, name);
  }
  const old = before?.backfilled ?? [];
  const isAdded = (tick: number): boolean =>
    after.backfilled.some((span) => isIn(span, tick)) && !old.some((span) => isIn(span, tick));
  for (const tick of made) {
    if (!isAdded(tick)) report(`entry ${entry.seq} backfills the tick ${tick} of ${name}, as one before has`, name);
  }
  if (before === null || JSON.stringify(old) === JSON.stringify(after.backfilled)) return;
  const first = Math.min(...after.backfilled.map(({ from }) => from));
  const opinions = ticksOf(before.content, first - 1, before.settledAt);
  const all = (opinions[0] ?? []).filter((tick) => opinions.every((ticks) => ticks.includes(tick)));
  const isMissing = (tick: number): boolean => tick <= before.sinceAt || before.skipped.some((row) => isIn(row, tick));
  for (const tick of all.filter(isAdded)) {
    if (isMissing(tick) && !before.queued.includes(tick) && !made.has(tick))
      report(`entry ${entry.seq} says that the tick ${tick} of ${name} was backfilled, and makes no task`, name);
  }
}

function isIn({ from, to }: Span, tick: number): boolean {
  return from <= tick && tick <= to;
}

function rowText({ from, to, reason }: SkippedTicks): string {
  return `${from} ${to} ${reason}`;
}
