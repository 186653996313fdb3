/**
 * What becomes of ticks: each makes exactly one task, or leaves a word on why it made none. A tick is settled in the entry that
 * also says which one comes next; a tick at or before `settledAt` is never looked at again, whoever leads and whatever is edited.
 * Ticks are instants of the wall clock, not of the clock that never goes back.
 */
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { nextTick, type ScheduleRecord, type SkippedTicks, type Span, tickId } from "../../model/schedules/schedule.ts";
import type { ScheduleOrigin } from "../../model/schedules/scheduleOrigin.ts";
import { toSpec } from "../../model/submission.ts";
import { cancelTask } from "./attempts.ts";
import type { Batch, Reply } from "./effects.ts";
import { isFull } from "./module.ts";
import { isTickOf, type LiveSchedule, withSkipped } from "./schedules.ts";
import type { SchedulerState } from "./state.ts";
import { submit } from "./submit.ts";

/** How long a tick waits before it is looked at again, while it is not known yet which attempts still run. */
const unsureMs = 250;

export function wallNow({ tasks }: SchedulerState, { now }: Batch): number {
  return now - tasks.clockLagMs;
}

/** Settles what is due, a bounded part of it; the rest is due at once again. */
export function settleAll(state: SchedulerState, batch: Batch): void {
  const { schedules } = state;
  for (const schedule of [...schedules.waiting]) releaseQueued(state, batch, schedule);
  for (let count = 0; count < limits.ticksPerEntryMax && !isFull(batch); count += 1) {
    const schedule = schedules.first();
    if (schedule === undefined || schedule.fireAt > wallNow(state, batch)) break;
    if (!settleNext(state, batch, schedule)) schedules.postpone(schedule, wallNow(state, batch) + unsureMs);
  }
}

/** Ticks that are due by now happen before anything changes, with what the schedule says until then. @returns false if some are left */
export function settleDue(state: SchedulerState, batch: Batch, schedule: LiveSchedule): boolean {
  for (let count = 0; count < limits.ticksPerEntryMax; count += 1) {
    const { nextAt, isPaused, isRemoved } = schedule.record;
    if (isPaused || isRemoved === true || nextAt === null || nextAt > wallNow(state, batch)) return true;
    if (isFull(batch) || !settleNext(state, batch, schedule)) return false;
  }
  return false;
}

/** Settles the next tick, or a row of missed ones, and says which one comes next. @returns false if it cannot be settled yet */
function settleNext(state: SchedulerState, batch: Batch, schedule: LiveSchedule): boolean {
  const { calendar } = state.settings;
  const { content, nextAt: tick } = schedule.record;
  if (tick === null) return true;
  const now = wallNow(state, batch);
  const { missed = "latest", missedWindowMs = defaults.missedWindowMs, jitterMs = 0 } = content;
  // Up to so much later it is in time.
  const lateFrom = now - defaults.missedGraceMs - jitterMs;
  const isMissed = tick < lateFrom;
  const windowFrom = missed === "skip" ? lateFrom : now - missedWindowMs;
  if (isMissed && tick < windowFrom) {
    // All that is too old is passed over at once, however many ticks that are.
    const next = nextTick(content, windowFrom - 1, calendar);
    skip(state, schedule, { from: tick, to: windowFrom - 1, reason: "missed" }, next);
    noteMissed(state, batch, schedule.record, { from: tick, to: windowFrom - 1, isSkipped: true });
    return true;
  }
  const next = nextTick(content, tick, calendar);
  if (isMissed && missed === "latest" && next !== null && next <= now) {
    skip(state, schedule, { from: tick, to: tick, reason: "missed" }, next);
    return true;
  }
  const isSettled = overlapOrFire(state, batch, schedule, tick, next);
  if (isSettled && isMissed) {
    const isSkipped = schedule.record.skipped.at(-1)?.to === tick;
    noteMissed(state, batch, schedule.record, { from: tick, to: tick, isSkipped });
  }
  return isSettled;
}

/** Nothing ran when it should have. */
function noteMissed(
  { webhooks }: SchedulerState,
  batch: Batch,
  { name, task, origin }: ScheduleRecord,
  ticks: { readonly from: number; readonly to: number; readonly isSkipped: boolean },
): void {
  if (webhooks.size === 0) return;
  webhooks.noteMissed(batch, task.queue ?? defaults.queue, {
    schedule: { name, ...ticks },
    name: task.name ?? name,
    ...(origin !== undefined && { template: origin.template }),
  });
}

/** Writes down why ticks made no task. */
export function skip(state: SchedulerState, schedule: LiveSchedule, row: SkippedTicks, next: number | null): void {
  const skipped = withSkipped(schedule.record, row);
  state.schedules.change(schedule, { skipped, settledAt: Math.max(schedule.record.settledAt, row.to), nextAt: next });
}

function overlapOrFire(
  state: SchedulerState,
  batch: Batch,
  schedule: LiveSchedule,
  tick: number,
  next: number | null,
): boolean {
  const { queued, content } = schedule.record;
  const { overlap = "allow" } = content;
  if (overlap === "allow") return fire(state, batch, schedule, tick, next);
  const { open, isUnsure } = openTicks(state, schedule.record);
  if (open.length === 0 && queued.length === 0) {
    return isUnsure ? false : fire(state, batch, schedule, tick, next);
  }
  switch (overlap) {
    case "skip":
      skip(state, schedule, { from: tick, to: tick, reason: "overlap" }, next);
      return true;
    case "queue":
      if (queued.length < limits.queuedTicksMax) queueUp(state, schedule, tick, next);
      else skip(state, schedule, { from: tick, to: tick, reason: "queue-full" }, next);
      return true;
    case "cancel":
      dropQueued(state, schedule, "replaced");
      for (const id of open) {
        const task = state.tasks.get(id);
        if (task !== undefined) cancelTask(state, batch, task);
      }
      queueUp(state, schedule, tick, next);
      releaseQueued(state, batch, schedule);
      return true;
    default:
      return overlap satisfies never;
  }
}

function queueUp(state: SchedulerState, schedule: LiveSchedule, tick: number, next: number | null): void {
  state.schedules.change(schedule, { queued: [...schedule.record.queued, tick], settledAt: tick, nextAt: next });
}

/** Ticks that wait are given up, with a word on them: a row for all that followed each other, so that the bound of rows leaves none out. */
export function dropQueued(state: SchedulerState, schedule: LiveSchedule, reason: SkippedTicks["reason"]): void {
  for (const span of spansOf(schedule.record)) {
    const skipped = withSkipped(schedule.record, { ...span, reason });
    state.schedules.change(schedule, { skipped });
  }
  if (schedule.record.queued.length > 0) state.schedules.change(schedule, { queued: [] });
}

/** From the first to the last of waiting ticks that follow each other. Between two others were skipped. */
function spansOf({ queued, skipped }: ScheduleRecord): Span[] {
  const spans: Span[] = [];
  for (const tick of queued) {
    const last = spans.at(-1);
    const isApart = last === undefined || skipped.some(({ from, to }) => from > last.to && to < tick);
    if (isApart) spans.push({ from: tick, to: tick });
    else spans[spans.length - 1] = { from: last.from, to: tick };
  }
  return spans;
}

/** Ticks that wait run once no task of an earlier one is left. */
function releaseQueued(state: SchedulerState, batch: Batch, schedule: LiveSchedule): void {
  while (!isFull(batch)) {
    const { record } = schedule;
    const [tick, ...rest] = record.queued;
    if (tick === undefined) return;
    const { open, isUnsure } = openTicks(state, record);
    const isAllowed = (record.content.overlap ?? "allow") === "allow";
    if (!isAllowed && (open.length > 0 || isUnsure)) return;
    state.schedules.change(schedule, { queued: rest });
    fire(state, batch, schedule, tick, record.nextAt);
  }
}

/** The tick's task and the schedule's next tick go into one entry. */
function fire(state: SchedulerState, batch: Batch, schedule: LiveSchedule, tick: number, next: number | null): true {
  const { record } = schedule;
  const id = makeTask(state, batch, record, { name: record.name, tickAt: tick });
  if (typeof id !== "string") {
    skip(state, schedule, { from: tick, to: tick, reason: "refused" }, next);
    return true;
  }
  const isTracked = (record.content.overlap ?? "allow") !== "allow";
  state.schedules.change(schedule, {
    fired: record.fired + 1,
    settledAt: Math.max(record.settledAt, tick),
    nextAt: next,
    open: isTracked ? [...openTicks(state, record).open, id] : [],
  });
  return true;
}

/** @returns why there can be no such task, for want of room or of a file that it needs */
export function makeTask(
  state: SchedulerState,
  batch: Batch,
  { name, task, origin, rights }: ScheduleRecord,
  schedule: ScheduleOrigin,
): TaskId | Reply {
  const id = tickId(name, schedule.tickAt);
  const spec = toSpec(task, { id, fingerprint: null, now: batch.now });
  const more = { ...(origin !== undefined && { origin }), ...(rights !== undefined && { rights }) };
  const made = { ...spec, name: task.name ?? name, ...more, schedule };
  const answer = submit(state, batch, { specs: [made], lookup: null });
  return answer.kind === "submitted" ? id : answer;
}

/**
 * Tasks of earlier ticks that have not ended. A cancelled one whose process still runs on a worker has not ended, either. Which
 * processes a worker has is unknown to a new leader until it has heard of the worker, or has given it up.
 */
function openTicks(
  { tasks, workers }: SchedulerState,
  { open }: ScheduleRecord,
): { readonly open: TaskId[]; readonly isUnsure: boolean } {
  if (open.every((id) => tasks.get(id) !== undefined)) return { open: [...open], isUnsure: false };
  const dying = new Set<string>();
  let isUnsure = false;
  for (const worker of workers) {
    for (const { task } of worker.dying) dying.add(task);
    if (worker.heardAt === null && !worker.isGivenUp) isUnsure = true;
  }
  return { open: open.filter((id) => tasks.get(id) !== undefined || dying.has(id)), isUnsure };
}

/** For a schedule that begins to care about overlaps: all its ticks whose tasks have not ended. Looks at every unfinished task. */
export function findOpenTicks({ tasks, workers }: SchedulerState, name: string): TaskId[] {
  const found = new Set<TaskId>();
  for (const { id } of tasks) if (isTickOf(name, id)) found.add(id);
  for (const { dying } of workers) for (const { task } of dying) if (isTickOf(name, task)) found.add(task);
  return [...found];
}
