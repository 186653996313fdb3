/**
 * Schedules: each tick makes exactly one task, or leaves a word on why it made none. A tick is settled in the entry that also
 * says which one comes next; a tick at or before `settledAt` is never looked at again, whoever leads and whatever is edited.
 */
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { nextTick, type ScheduleRecord, type SkippedTicks, tickId } from "../../model/schedules/schedule.ts";
import { toSpec } from "../../model/submission.ts";
import { cancelTask } from "./attempts.ts";
import type { Batch, Reply } from "./effects.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import { type LiveSchedule, withSkipped } from "./schedules.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { submit } from "./submit.ts";

export const schedulesModule = {
  inputs: {
    "put-schedule": (state, batch, { request, schedule }) => reply(batch, request, putSchedule(state, batch, schedule)),
    "pause-schedule": (state, batch, { request, name, isPaused }) =>
      reply(batch, request, setPaused(state, batch, name, isPaused)),
    "remove-schedule": (state, batch, { request, name }) => reply(batch, request, removeSchedule(state, batch, name)),
  },
  step(state, batch) {
    const { schedules } = state;
    for (const schedule of [...schedules.waiting]) {
      if (isFull(batch)) break;
      releaseQueued(state, batch, schedule);
    }
    for (let count = 0; count < limits.ticksPerEntryMax && !isFull(batch); count += 1) {
      const schedule = schedules.first();
      if (schedule === undefined || schedule.fireAt > batch.now) break;
      settleNext(state, batch, schedule);
    }
    schedules.writeTouched(batch);
  },
  nextWakeAt: ({ schedules }) => schedules.first()?.fireAt ?? null,
} satisfies SchedulerModule;

/** Settles the next tick, or a row of missed ones, and says which one comes next. */
function settleNext(state: SchedulerState, batch: Batch, schedule: LiveSchedule): void {
  const { calendar } = state.settings;
  const { record } = schedule;
  const { content, nextAt: tick } = record;
  if (tick === null) return;
  const lateFrom = batch.now - defaults.missedGraceMs;
  const isMissed = tick < lateFrom;
  const { missed = "latest", missedWindowMs = defaults.missedWindowMs } = content;
  const windowFrom = missed === "skip" ? lateFrom : batch.now - missedWindowMs;
  if (isMissed && tick < windowFrom) {
    // All that is too old is passed over at once, however many ticks that are.
    const next = nextTick(content, windowFrom - 1, calendar);
    return skip(state, schedule, { from: tick, to: windowFrom - 1, reason: "missed" }, next);
  }
  const next = nextTick(content, tick, calendar);
  if (isMissed && missed === "latest" && next !== null && next <= batch.now) {
    return skip(state, schedule, { from: tick, to: tick, reason: "missed" }, next);
  }
  overlapOrFire(state, batch, schedule, tick, next);
}

function skip(state: SchedulerState, schedule: LiveSchedule, row: SkippedTicks, next: number | null): void {
  const skipped = withSkipped(schedule.record, row);
  state.schedules.change(schedule, { skipped, settledAt: Math.max(schedule.record.settledAt, row.to), nextAt: next });
}

function overlapOrFire(
  state: SchedulerState,
  batch: Batch,
  schedule: LiveSchedule,
  tick: number,
  next: number | null,
): void {
  const { overlap = "allow" } = schedule.record.content;
  const open = overlap === "allow" ? [] : stillOpen(state, schedule.record);
  if (open.length === 0 && schedule.record.queued.length === 0) return fire(state, batch, schedule, tick, next);
  const skipFor = (reason: SkippedTicks["reason"]): void =>
    skip(state, schedule, { from: tick, to: tick, reason }, next);
  switch (overlap) {
    case "skip":
    case "allow":
      return skipFor("overlap");
    case "queue":
      if (schedule.record.queued.length >= limits.queuedTicksMax) return skipFor("queue-full");
      return queueUp(state, schedule, tick, next, schedule.record.queued);
    case "cancel": {
      const [replaced] = schedule.record.queued;
      if (replaced !== undefined) {
        const skipped = withSkipped(schedule.record, { from: replaced, to: replaced, reason: "replaced" });
        state.schedules.change(schedule, { skipped });
      }
      for (const id of open) {
        const task = state.tasks.get(id);
        if (task !== undefined) cancelTask(state, batch, task);
      }
      queueUp(state, schedule, tick, next, []);
      return releaseQueued(state, batch, schedule);
    }
    default:
      overlap satisfies never;
  }
}

function queueUp(
  state: SchedulerState,
  schedule: LiveSchedule,
  tick: number,
  next: number | null,
  before: readonly number[],
): void {
  state.schedules.change(schedule, { queued: [...before, tick], settledAt: tick, nextAt: next });
}

/** The first of the ticks that wait runs once no task of an earlier one is left. */
function releaseQueued(state: SchedulerState, batch: Batch, schedule: LiveSchedule): void {
  const { record } = schedule;
  const [tick, ...rest] = record.queued;
  if (tick === undefined || stillOpen(state, record).length > 0) return;
  state.schedules.change(schedule, { queued: rest });
  fire(state, batch, schedule, tick, record.nextAt);
}

/** The tick's task and the schedule's next tick go into one entry. */
function fire(state: SchedulerState, batch: Batch, schedule: LiveSchedule, tick: number, next: number | null): void {
  const { record } = schedule;
  const { name, task, origin, content } = record;
  const id = tickId(name, tick);
  const spec = toSpec(task, { id, fingerprint: null, now: batch.now });
  const answer = submit(
    state,
    batch,
    [{ ...spec, name: task.name ?? name, ...(origin !== undefined && { origin }), schedule: { name, tickAt: tick } }],
    null,
  );
  if (answer.kind !== "submitted") return skip(state, schedule, { from: tick, to: tick, reason: "refused" }, next);
  const isTracked = (content.overlap ?? "allow") !== "allow";
  state.schedules.change(schedule, {
    fired: record.fired + 1,
    settledAt: Math.max(record.settledAt, tick),
    nextAt: next,
    open: isTracked ? [...stillOpen(state, record), id] : [],
  });
}

/** Tasks of earlier ticks that have not ended. A cancelled one whose process still runs on a worker has not ended, either. */
function stillOpen({ tasks, workers }: SchedulerState, { open }: ScheduleRecord): TaskId[] {
  const ended = open.filter((id) => tasks.get(id) === undefined);
  const dying = new Set<string>();
  if (ended.length > 0) for (const worker of workers) for (const { task } of worker.dying) dying.add(task);
  return open.filter((id) => tasks.get(id) !== undefined || dying.has(id));
}

/** Ticks that are due by now happen before anything changes, with what the schedule says until then. */
function settleDue(state: SchedulerState, batch: Batch, schedule: LiveSchedule): boolean {
  for (let count = 0; count < limits.ticksPerEntryMax; count += 1) {
    const { nextAt, isPaused, isRemoved } = schedule.record;
    if (isPaused || isRemoved === true || nextAt === null || nextAt > batch.now) return true;
    settleNext(state, batch, schedule);
  }
  return false;
}

const busy = (): Reply =>
  refuse("unavailable", "Many ticks of this schedule are due and are worked off first. Try again in a moment.");

function putSchedule(state: SchedulerState, batch: Batch, wanted: NewSchedule): Reply {
  const { schedules, settings } = state;
  const schedule = schedules.get(wanted.name);
  const before = schedule?.record;
  if (before !== undefined && before.isRemoved !== true && before.fingerprint === wanted.fingerprint) {
    return { kind: "schedule", nextAt: before.nextAt, isNew: false };
  }
  if (before === undefined && schedules.size >= limits.schedulesMax) {
    return refuse("too-many", `Too many schedules (${limits.schedulesMax}).`, "schedulesMax");
  }
  if (schedule !== undefined && !settleDue(state, batch, schedule)) return busy();
  const { settledAt, queued, open, fired, skipped } = schedule?.record ?? fresh;
  // A schedule for one instant in the past still fires: it is late, and its rule on missed ticks says what happens.
  const isOnce = "at" in wanted.content.when;
  const from = isOnce ? settledAt : Math.max(settledAt, batch.now);
  const record: ScheduleRecord = {
    ...wanted,
    changedAt: batch.now,
    isPaused: wanted.content.isPaused ?? false,
    nextAt: nextTick(wanted.content, from, settings.calendar),
    ...{ settledAt, queued, open, fired, skipped },
  };
  schedules.add(record);
  return { kind: "schedule", nextAt: record.nextAt, isNew: true };
}

type NewSchedule = Pick<ScheduleRecord, "name" | "content" | "fingerprint" | "task" | "origin">;

const fresh: Pick<ScheduleRecord, "settledAt" | "queued" | "open" | "fired" | "skipped"> = {
  settledAt: -1,
  queued: [],
  open: [],
  fired: 0,
  skipped: [],
};

function setPaused(state: SchedulerState, batch: Batch, name: string, isPaused: boolean): Reply {
  const schedule = find(state, name);
  if (schedule === null) return noSuchSchedule(name);
  if (schedule.record.isPaused === isPaused) return { kind: "done" };
  if (isPaused) {
    if (!settleDue(state, batch, schedule)) return busy();
    state.schedules.change(schedule, { isPaused: true });
    return { kind: "done" };
  }
  const { nextAt: tick, content } = schedule.record;
  if (tick !== null && tick <= batch.now) {
    const next = nextTick(content, batch.now, state.settings.calendar);
    skip(state, schedule, { from: tick, to: batch.now, reason: "paused" }, next);
  }
  state.schedules.change(schedule, { isPaused: false });
  return { kind: "done" };
}

function removeSchedule(state: SchedulerState, batch: Batch, name: string): Reply {
  const schedule = find(state, name);
  if (schedule === null) return noSuchSchedule(name);
  if (!settleDue(state, batch, schedule)) return busy();
  state.schedules.change(schedule, { isRemoved: true, nextAt: null, queued: [], changedAt: batch.now });
  return { kind: "done" };
}

function find({ schedules }: SchedulerState, name: string): LiveSchedule | null {
  const schedule = schedules.get(name);
  return schedule === undefined || schedule.record.isRemoved === true ? null : schedule;
}

function noSuchSchedule(name: string): Reply {
  return refuse("not-found", `There is no schedule ${name}.`);
}
