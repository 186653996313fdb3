/** Schedules are put, paused, removed and backfilled. What is due by then happens first; see ticks.ts for what becomes of a tick. */
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type Calendar, nextTick, type ScheduleRecord } from "../../model/schedules/schedule.ts";
import { second } from "../../model/units.ts";
import { backfill } from "./backfill.ts";
import { nameBlobsIn, refuseMissingBlob } from "./blobPins.ts";
import type { Batch, Reply } from "./effects.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import { type LiveSchedule, withSkipped } from "./schedules.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { dropQueued, findOpenTicks, settleAll, settleDue, skip, wallNow } from "./ticks.ts";

export const schedulesModule = {
  inputs: {
    "put-schedule": (state, batch, { request, schedule }) => reply(batch, request, putSchedule(state, batch, schedule)),
    "pause-schedule": (state, batch, { request, name, isPaused }) =>
      reply(batch, request, setPaused(state, batch, name, isPaused)),
    "remove-schedule": (state, batch, { request, name }) => reply(batch, request, removeSchedule(state, batch, name)),
    "backfill-schedule": (state, batch, { request, name, from, to, isDryRun }) => {
      const schedule = find(state, name);
      const answer = schedule === null ? noSuchSchedule(name) : backfill(state, batch, schedule, from, to, isDryRun);
      reply(batch, request, answer);
    },
  },
  activate: ({ schedules }) => schedules.uncheckAll(),
  step(state, batch) {
    checkNextTicks(state, batch);
    settleAll(state, batch);
    state.schedules.writeTouched(batch);
  },
  /** Ticks are instants of the wall clock. */
  nextWakeAt({ schedules, tasks }) {
    const first = schedules.first();
    const tickAt = first === undefined ? null : first.fireAt + tasks.clockLagMs;
    if (schedules.unchecked.size === 0) return tickAt;
    return Math.min(schedules.nextCheckAt, tickAt ?? Number.POSITIVE_INFINITY);
  },
} satisfies SchedulerModule;

/**
 * The next tick is the first one after those that are settled, by the time zone data of this leader: that of the one before may have
 * been older. A few at a time, since a calendar takes its time. What is settled stays so, whatever the data say now.
 */
function checkNextTicks({ schedules, settings }: SchedulerState, batch: Batch): void {
  if (schedules.unchecked.size === 0 || batch.now < schedules.nextCheckAt) return;
  schedules.nextCheckAt = batch.now + defaults.nextTicksLookMs;
  let left: number = limits.nextTicksPerLookMax;
  for (const name of schedules.unchecked) {
    if (left === 0 || isFull(batch)) return;
    left -= 1;
    schedules.unchecked.delete(name);
    const schedule = schedules.get(name);
    if (schedule === undefined || schedule.record.isRemoved === true) continue;
    const now = readAnew(schedule.record, settings.calendar);
    if (now.nextAt !== schedule.record.nextAt) schedules.change(schedule, now);
  }
}

type Place = Pick<ScheduleRecord, "settledAt" | "nextAt">;

/** Where a record stands by a calendar that may be another one than that of the leader who wrote it. */
function readAnew({ content, settledAt, nextAt, fired }: ScheduleRecord, calendar: Calendar): Place {
  try {
    const next = nextTick(content, settledAt, calendar);
    const wasTick = fired > 0 && settledAt % second === 0;
    if (next === null || nextAt === null || next >= nextAt || !wasTick) return { settledAt, nextAt: next };
    const isShifted = nextTick(content, settledAt - 1, calendar) !== settledAt;
    // What has fired by other clocks is the tick that these show somewhat later: it does not fire again.
    const hasFired = isShifted && next - settledAt < nextAt - next;
    return hasFired ? { settledAt: next, nextAt: nextTick(content, next, calendar) } : { settledAt, nextAt: next };
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    // This machine does not know the time zone.
    return { settledAt, nextAt };
  }
}

type NewSchedule = Pick<ScheduleRecord, "name" | "content" | "fingerprint" | "task" | "origin" | "rights">;

const busy = (): Reply =>
  refuse("unavailable", "Some ticks of this schedule are due and have to be settled first. Try again in a moment.");

function putSchedule(state: SchedulerState, batch: Batch, wanted: NewSchedule): Reply {
  const { schedules } = state;
  const schedule = schedules.get(wanted.name);
  const before = schedule?.record;
  if (before !== undefined && before.isRemoved !== true && before.fingerprint === wanted.fingerprint) {
    const { isPaused = before.isPaused } = wanted.content;
    const reply = setPaused(state, batch, wanted.name, isPaused);
    if (reply.kind !== "done") return reply;
    return { kind: "schedule", nextAt: schedule?.record.nextAt ?? null, isNew: false };
  }
  const missing = refuseMissingBlob(state, [wanted.task]);
  if (missing !== null) return missing;
  if (before === undefined && schedules.size >= limits.schedulesMax) {
    return refuse("too-many", `Too many schedules (${limits.schedulesMax}).`, "schedulesMax");
  }
  if (schedule !== undefined && !settleDue(state, batch, schedule)) return busy();
  const record = recordOf(state, batch, wanted, schedule?.record ?? null);
  schedules.add(record);
  nameBlobsIn(state, batch, wanted.task as unknown as Json);
  // At once, so that what this content makes is not taken for what the one before has made.
  schedules.writeTouched(batch);
  return { kind: "schedule", nextAt: record.nextAt, isNew: true };
}

function recordOf(
  state: SchedulerState,
  batch: Batch,
  wanted: NewSchedule,
  old: ScheduleRecord | null,
): ScheduleRecord {
  const now = wallNow(state, batch);
  const { calendar } = state.settings;
  const { queued, fired, backfilled } = old ?? { queued: [], fired: 0, backfilled: [] };
  const skipped = old === null ? [] : skippedUntil(state, wanted, old, now);
  // A single instant in the past still fires: it is late, and the rule on missed ticks says what happens.
  const isOpen = "at" in wanted.content.when && (old === null || skipped === old.skipped);
  const settledAt = Math.max(old?.settledAt ?? -1, isOpen ? -1 : now);
  const isWatching = (wanted.content.overlap ?? "allow") !== "allow";
  const wasWatching = old !== null && (old.content.overlap ?? "allow") !== "allow";
  return {
    ...wanted,
    ...{ changedAt: batch.now, isPaused: wanted.content.isPaused ?? wasPausedByHand(old) },
    sinceAt: Math.min(old?.sinceAt ?? now, "at" in wanted.content.when ? wanted.content.when.at - 1 : now),
    nextAt: nextTick(wanted.content, settledAt, calendar),
    open: isWatching && old !== null && !wasWatching ? findOpenTicks(state, wanted.name) : (old?.open ?? []),
    ...{ settledAt, queued, fired, skipped, backfilled },
  };
}

/** Paused by a command and not by what the schedule says: a change of the schedule leaves that as it is. */
function wasPausedByHand(old: ScheduleRecord | null): boolean {
  return old !== null && old.isRemoved !== true && old.isPaused && old.content.isPaused !== true;
}

/** Until now the schedule was paused, or removed, or said something else: ticks of that time are passed over, with a word on it. */
function skippedUntil(
  { settings }: SchedulerState,
  { content }: NewSchedule,
  old: ScheduleRecord,
  now: number,
): ScheduleRecord["skipped"] {
  const wasPaused = old.isPaused && old.isRemoved !== true;
  if (!wasPaused && "at" in content.when) return old.skipped;
  const from = wasPaused ? old.nextAt : nextTick(content, old.settledAt, settings.calendar);
  if (from === null || from > now) return old.skipped;
  const other = old.isRemoved === true ? "removed" : "edited";
  return withSkipped(old, { from, to: now, reason: wasPaused ? "paused" : other });
}

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
  const now = wallNow(state, batch);
  if (tick !== null && tick <= now) {
    const next = nextTick(content, now, state.settings.calendar);
    skip(state, schedule, { from: tick, to: now, reason: "paused" }, next);
  }
  state.schedules.change(schedule, { isPaused: false });
  return { kind: "done" };
}

function removeSchedule(state: SchedulerState, batch: Batch, name: string): Reply {
  const schedule = find(state, name);
  if (schedule === null) return noSuchSchedule(name);
  if (!settleDue(state, batch, schedule)) return busy();
  const { nextAt: tick, isPaused } = schedule.record;
  const now = wallNow(state, batch);
  if (isPaused && tick !== null && tick <= now) skip(state, schedule, { from: tick, to: now, reason: "paused" }, null);
  dropQueued(state, schedule, "removed");
  const settledAt = Math.max(schedule.record.settledAt, now);
  state.schedules.change(schedule, { isRemoved: true, nextAt: null, settledAt, changedAt: batch.now });
  // At once, so that a put in the same entry does not hide that it was removed, and what was settled by that.
  state.schedules.writeTouched(batch);
  return { kind: "done" };
}

function find({ schedules }: SchedulerState, name: string): LiveSchedule | null {
  const schedule = schedules.get(name);
  return schedule === undefined || schedule.record.isRemoved === true ? null : schedule;
}

function noSuchSchedule(name: string): Reply {
  return refuse("not-found", `There is no schedule ${name}.`);
}
