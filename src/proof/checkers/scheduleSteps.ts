/** What the journal says of schedules, step by step: each record with the one before it, and the tasks that were made with it. */
import type { TaskId } from "../../model/ids.ts";
import type { ScheduleContent, ScheduleRecord } from "../../model/schedules/schedule.ts";
import { scannersOf } from "../calendar/simulatedZones.ts";
import type { LandedEntry } from "./ledger.ts";
import { once } from "./reading.ts";

export interface FiredTick {
  readonly id: TaskId;
  readonly tickAt: number;
  readonly isBackfilled: boolean;
}

export interface ScheduleStep {
  readonly name: string;
  readonly before: ScheduleRecord | null;
  readonly after: ScheduleRecord;
  /** By what the record before said, or as this one took its place. */
  readonly fired: readonly FiredTick[];
  readonly entry: LandedEntry;
}

interface Read {
  readonly steps: readonly ScheduleStep[];
  /** Tasks of ticks that no record in the same entry tells of. */
  readonly loose: readonly { readonly id: TaskId; readonly entry: LandedEntry }[];
}

export const scheduleSteps = once((history): Read => {
  const steps: ScheduleStep[] = [];
  const loose: { id: TaskId; entry: LandedEntry }[] = [];
  const records = new Map<string, ScheduleRecord>();
  for (const entry of history.entries) {
    const fired = new Map<string, FiredTick[]>();
    for (const write of entry.writes) {
      if (write.kind === "spec" && write.spec.schedule !== undefined) {
        const { id, schedule } = write.spec;
        const { name, tickAt, isBackfilled = false } = schedule;
        fired.set(name, [...(fired.get(name) ?? []), { id, tickAt, isBackfilled }]);
      }
      if (write.kind !== "record" || write.collection !== "schedules" || write.value === null) continue;
      const { name } = write.value;
      const before = records.get(name) ?? null;
      steps.push({ name, before, after: write.value, fired: fired.get(name) ?? [], entry });
      records.set(name, write.value);
      fired.delete(name);
    }
    for (const ticks of fired.values()) loose.push(...ticks.map(({ id }) => ({ id, entry })));
  }
  return { steps, loose };
});

/** The ticks of a schedule after `after` up to and including `until`, ascending, by each opinion that there is on its time zone. */
export function ticksOf(content: ScheduleContent, after: number, until: number): readonly (readonly number[])[] {
  const { when, startsAt = 0, endsAt = Number.POSITIVE_INFINITY } = content;
  const from = Math.max(after, startsAt - 1);
  const to = Math.min(until, endsAt);
  if (to <= from) return [[]];
  if ("at" in when) return [when.at > from && when.at <= to ? [when.at] : []];
  if ("cron" in when)
    return scannersOf(when.cron, when.timeZone ?? "UTC").map((scanner) => [...scanner.ticks(from, to)]);
  const ticks: number[] = [];
  const { everyMs, from: base = 0 } = when;
  for (let tick = base + Math.max(0, Math.floor((from - base) / everyMs)) * everyMs; tick <= to; tick += everyMs) {
    if (tick > from) ticks.push(tick);
  }
  return [ticks];
}
