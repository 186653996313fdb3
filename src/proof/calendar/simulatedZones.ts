/**
 * Time zones of the simulated world, whose clocks are changed every few seconds, and the calendar of its masters. Masters may have
 * other data for one of the zones, as machines have whose time zone data is not of one age.
 */
import type { Calendar } from "../../model/schedules/schedule.ts";
import { CronScanner, type Offsets } from "./cronScanner.ts";

const periodMs = 120_000;
const aheadMs = 30_000;
const lookBackMs = 100_000;
/** Each expression of the simulated world has a tick within so much. */
const withinMs = 600_000;

/** For half of each two minutes the clocks are ahead: they leave half a minute out, and repeat it later. */
function leapingFrom(shiftMs: number): Offsets {
  return (at) => ((((at + shiftMs) % periodMs) + periodMs) % periodMs < periodMs / 2 ? aheadMs : 0);
}

/** All that is known of a zone; more than one where masters disagree. */
const zones: { readonly [zone: string]: readonly Offsets[] } = {
  UTC: [() => 0],
  "Sim/Leaping": [leapingFrom(20_000)],
  "Sim/Disputed": [leapingFrom(50_000), leapingFrom(83_000)],
};

export const simulatedZones = Object.keys(zones);

/** What each of the masters that disagree takes for the ticks of an expression. */
export function scannersOf(cron: string, timeZone: string): readonly CronScanner[] {
  return (zones[timeZone] ?? []).map((offsets) => new CronScanner(cron, offsets, 1000, lookBackMs));
}

/** @param edition which of several opinions a master has */
export function simulatedCalendar(edition: number): Calendar {
  const offsetsOf = (timeZone: string): Offsets => {
    const known = zones[timeZone] ?? [];
    return known[edition % Math.max(1, known.length)] ?? (() => 0);
  };
  return {
    nextCron: (cron, timeZone, after) =>
      new CronScanner(cron, offsetsOf(timeZone), 1000, lookBackMs).next(after, withinMs),
    localText: (at, timeZone) => `${at + offsetsOf(timeZone)(at)} in ${timeZone}`,
    offsetMs: (at, timeZone) => offsetsOf(timeZone)(at),
  };
}
