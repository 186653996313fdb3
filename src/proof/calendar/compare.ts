/** Compares a calendar with the scanner: every tick of an expression in a time zone over some years. */
import type { Calendar } from "../../model/schedules/schedule.ts";
import { CronScanner } from "./cronScanner.ts";
import type { ZoneOffsets } from "./zoneOffsets.ts";

export interface Difference {
  readonly cron: string;
  readonly timeZone: string;
  /** After this tick, on which both agree, each of them says something else; null stands for no tick. */
  readonly after: number;
  readonly calendar: number | null;
  readonly scanner: number | null;
}

export interface Comparison {
  readonly ticks: number;
  readonly differences: readonly Difference[];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const hourMs = 3_600_000;
const differencesMax = 3;

/** Expressions with many ticks a day are compared around the changes of the clocks only, and for a while from the beginning. */
export function spansAround(zone: ZoneOffsets, { from, to }: Span): readonly Span[] {
  const around = zone.changes.map((at) => ({
    from: Math.max(from, at - 30 * hourMs),
    to: Math.min(to, at + 30 * hourMs),
  }));
  return [{ from, to: Math.min(to, from + 72 * hourMs) }, ...around];
}

export function compare(
  calendar: Calendar,
  cron: string,
  timeZone: string,
  zone: ZoneOffsets,
  spans: readonly Span[],
): Comparison {
  const scanner = new CronScanner(cron, zone.offsets, 60_000, 30 * hourMs);
  const differences: Difference[] = [];
  let ticks = 0;
  for (const { from, to } of spans) {
    let after = from;
    const wanted = scanner.ticks(from, to);
    while (differences.length < differencesMax) {
      const { value } = wanted.next();
      const expected = value ?? null;
      const next = calendar.nextCron(cron, timeZone, after);
      const got = next === null || next > to ? null : next;
      if (got !== expected) {
        differences.push({ cron, timeZone, after, calendar: got, scanner: expected });
        break;
      }
      if (expected === null) break;
      ticks += 1;
      after = expected;
    }
  }
  return { ticks, differences };
}
