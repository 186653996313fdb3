/** When a schedule has its ticks, in words of a table. */
import type { When } from "../model/schedules/schedule.ts";
import { formatDuration, formatInstantWithOffset } from "./duration.ts";

export function whenText(when: When): string {
  if ("cron" in when) return `${when.cron} ${when.timeZone ?? "UTC"}`;
  return "at" in when ? `at ${formatInstantWithOffset(when.at)}` : `every ${formatDuration(when.everyMs)}`;
}
