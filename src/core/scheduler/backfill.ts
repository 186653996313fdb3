/**
 * Makes up for ticks of the past: those that were skipped, and those from before the schedule was put. Which stretches of time were
 * backfilled stands in the record, so a tick is made up for once, also when its task is long forgotten.
 */
import { limits } from "../../model/limits.ts";
import { nextTick, type ScheduleRecord, type Span } from "../../model/schedules/schedule.ts";
import type { Batch, Reply } from "./effects.ts";
import { isFull } from "./module.ts";
import type { LiveSchedule } from "./schedules.ts";
import { refuse, type SchedulerState } from "./state.ts";
import { makeTask } from "./ticks.ts";

/** Looks at a bounded number of ticks; the answer says where to go on. A dry run changes nothing. */
export function backfill(
  state: SchedulerState,
  batch: Batch,
  schedule: LiveSchedule,
  from: number,
  to: number,
  isDryRun: boolean,
): Reply {
  const { record } = schedule;
  const { calendar } = state.settings;
  // Later ticks happen by themselves.
  const until = Math.min(to, record.settledAt);
  const spans = withSpan(record.backfilled, { from, to: until });
  if (spans.length > limits.backfillSpansMax) {
    const message = `Too many separate stretches of time were backfilled (${limits.backfillSpansMax}).`;
    return refuse("too-many", message, "backfillSpansMax");
  }
  const made: number[] = [];
  let seen = 0;
  let tick = nextTick(record.content, from - 1, calendar);
  for (; tick !== null && tick <= until && seen < limits.backfillTicksMax && !isFull(batch); seen += 1) {
    if (isMissing(record, tick)) {
      const origin = { name: record.name, tickAt: tick, isBackfilled: true } as const;
      const id = isDryRun ? "" : makeTask(state, batch, record, origin);
      if (typeof id !== "string") {
        // What was made before it is told first; who goes on from here is told why there is no more.
        if (made.length === 0) return id;
        break;
      }
      made.push(tick);
    }
    tick = nextTick(record.content, tick, calendar);
  }
  const isWhole = tick === null || tick > until;
  const doneTo = isWhole ? until : (tick ?? until) - 1;
  if (!isDryRun && doneTo >= from) {
    state.schedules.change(schedule, { backfilled: withSpan(record.backfilled, { from, to: doneTo }) });
  }
  return { kind: "backfilled", ticks: made, nextFrom: isWhole ? null : tick };
}

/** It made no task in its time, and none has made up for it. */
function isMissing({ sinceAt, skipped, queued, backfilled }: ScheduleRecord, tick: number): boolean {
  const isIn = ({ from, to }: Span): boolean => from <= tick && tick <= to;
  return (tick <= sinceAt || skipped.some(isIn)) && !queued.includes(tick) && !backfilled.some(isIn);
}

/** Spans in order, apart from each other, with one more; an empty one adds nothing. */
export function withSpan(spans: readonly Span[], added: Span): readonly Span[] {
  if (added.to < added.from) return spans;
  const isApart = ({ from, to }: Span): boolean => to < added.from - 1 || from > added.to + 1;
  const touching = spans.filter((span) => !isApart(span));
  const joined = {
    from: Math.min(added.from, ...touching.map(({ from }) => from)),
    to: Math.max(added.to, ...touching.map(({ to }) => to)),
  };
  return [...spans.filter(isApart), joined].sort((one, other) => one.from - other.from);
}
