/** Says of a schedule's next ticks what becomes of local times that do not exist, as the clocks go forward over them. */
import type { Calendar, PreviewTick, When } from "../../model/schedules/schedule.ts";
import { utcText } from "../../model/schedules/utcText.ts";
import { day } from "../../model/units.ts";

/** Of one gap. An expression may have a tick in each second. */
const leftOutMax = 4000;

/**
 * A sentence for each gap in which the expression has local times. One that keeps its pace in real time, such as `*\/15 * * * *`, leaves
 * nothing out.
 * @param after the instant after which the first of these ticks is
 */
export function clockGapNotes(
  when: When,
  after: number,
  ticks: readonly PreviewTick[],
  calendar: Calendar,
): readonly string[] {
  if (!("cron" in when)) return [];
  const { cron, timeZone = "UTC" } = when;
  // Instants as clocks show them, as if these were in UTC: there, no clock is changed.
  const shown = (at: number): number => at + calendar.offsetMs(at, timeZone);
  const nextShown = (from: number): number => calendar.nextCron(cron, "UTC", from) ?? Number.POSITIVE_INFINITY;
  return ticks.flatMap(({ at }, index) => {
    const before = ticks[index - 1]?.at ?? after;
    const first = nextShown(shown(before));
    const end = shown(at);
    if (first >= end) return [];
    const missing = `${dayAndTime(first)} does not exist in ${timeZone}, as the clocks go forward`;
    if (nextShown(end - 1) !== end) return [`${missing}: that tick is at ${timeOf(end)}.`];
    if (at - before <= first - shown(before)) return [];
    let last = first;
    for (let count = 0; count < leftOutMax && nextShown(last) < end; count++) last = nextShown(last);
    if (last === first) return [`${missing}: there is no tick.`];
    return [`${missing}: there are no ticks from then to ${last - first < day ? timeOf(last) : dayAndTime(last)}.`];
  });
}

function dayAndTime(at: number): string {
  return `${utcText(at).slice(0, 10)} ${timeOf(at)}`;
}

/** `02:30`, with seconds if there are any. */
function timeOf(at: number): string {
  return utcText(at).slice(11, 19).replace(/:00$/, "");
}
