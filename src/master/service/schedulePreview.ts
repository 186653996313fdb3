/** What a schedule will do: its next ticks, changes of the clocks near them, and whether its tasks take longer than from tick to tick. */
import { formatDuration } from "../../model/durationText.ts";
import {
  type Calendar,
  nextTick,
  type Overlap,
  type PreviewTick,
  type ScheduleContent,
  type ScheduleRecord,
} from "../../model/schedules/schedule.ts";
import { utcText } from "../../model/schedules/utcText.ts";
import { hour } from "../../model/units.ts";

/** The next ticks after an instant. Those near a change of the clocks say so. */
export function previewTicks(
  content: ScheduleContent,
  after: number,
  count: number,
  calendar: Calendar,
): readonly PreviewTick[] {
  const zone = "cron" in content.when ? (content.when.timeZone ?? "UTC") : "UTC";
  const ticks: PreviewTick[] = [];
  while (ticks.length < count) {
    const at = nextTick(content, ticks.at(-1)?.at ?? after, calendar);
    if (at === null) break;
    const change = calendar.offsetMs(at + 3 * hour, zone) - calendar.offsetMs(at - 3 * hour, zone);
    const clocks = change > 0 ? "go forward" : "go back";
    ticks.push({ at, utc: utcText(at), local: calendar.localText(at, zone), ...(change !== 0 && { clocks }) });
  }
  return ticks;
}

/** Between two of these ticks; null if there are fewer than two. */
export function shortestGap(ticks: readonly PreviewTick[]): number | null {
  const gaps = ticks.slice(1).map(({ at }, index) => at - (ticks[index]?.at ?? at));
  return gaps.length === 0 ? null : Math.min(...gaps);
}

/** About the last ticks that were settled, at most `max`. A calendar only looks forward, so they are found from some time before. */
export function lastTicks({ content, settledAt }: ScheduleRecord, max: number, calendar: Calendar): readonly number[] {
  for (let backMs = hour; ; backMs *= 8) {
    const from = Math.max(0, settledAt - backMs);
    const found: number[] = [];
    let tick = nextTick(content, from, calendar);
    // Where there are many, only some of that time is looked at.
    while (tick !== null && tick <= settledAt && found.length < 4 * hourlyTicksMax) {
      found.push(tick);
      tick = nextTick(content, tick, calendar);
    }
    if (found.length >= max || from === 0) return found.slice(-max);
  }
}

/** Ticks of an hour: one each second. */
const hourlyTicksMax = hour / 1000;

/** @param durations of past tasks, from their tick to their end, in ms */
export function overlapWarning(durations: readonly number[], gapMs: number, overlap: Overlap): string | null {
  const longer = durations.filter((ms) => ms > gapMs).length;
  if (longer === 0) return null;
  const longest = formatDuration(Math.max(...durations));
  const which = durations.length === 1 ? "Its last task" : `${longer} of its last ${durations.length} tasks`;
  return `${which} took longer than ${formatDuration(gapMs)}, the shortest time between two ticks (up to ${longest}). ${consequences[overlap]}`;
}

const consequences: { readonly [Each in Overlap]: string } = {
  allow: "They will run beside each other; `overlap` can change that.",
  skip: "Ticks in between will be skipped.",
  queue: "Ticks will wait for each other, and fall behind.",
  cancel: "Each will be cancelled by the next tick.",
};
