/** Compares the calendar of schedules with a scanner that looks at every minute: `npm run calendar -- --years 30 --zones 60`. */
import { Command } from "commander";
import { SystemCalendar } from "../src/node/calendar.ts";
import { dayCrons, frequentCrons, zones } from "../src/proof/calendar/cases.ts";
import { compare, type Difference, spansAround } from "../src/proof/calendar/compare.ts";
import { zoneOffsets } from "../src/proof/calendar/zoneOffsets.ts";
import { count, ordinal } from "./flags.ts";

const flags = new Command("npm run calendar --")
  .description(
    "Compares the ticks of cron expressions with a slow scan over every minute, in many time zones and years.",
  )
  .option("--from <year>", "the first year", ordinal, 2000)
  .option("--years <n>", "how many years", count, 30)
  .option("--zones <n>", "how many time zones", count, zones.length)
  .parse()
  .opts<{ readonly from: number; readonly years: number; readonly zones: number }>();

const span = { from: Date.UTC(flags.from, 0, 1), to: Date.UTC(flags.from + flags.years, 0, 1) };
const calendar = new SystemCalendar();
const differences: Difference[] = [];
const chosen = zones.slice(0, flags.zones);
let ticks = 0;
let changes = 0;
for (const timeZone of chosen) {
  const zone = zoneOffsets(timeZone, span.from - 40 * 86_400_000, span.to);
  changes += zone.changes.length;
  const around = spansAround(zone, span);
  for (const cron of [...dayCrons, ...frequentCrons]) {
    const result = compare(calendar, cron, timeZone, zone, dayCrons.includes(cron) ? [span] : around);
    ticks += result.ticks;
    differences.push(...result.differences);
  }
  console.log(`${timeZone}: ${zone.changes.length} changes of the clocks, ${differences.length} differences so far`);
}
for (const { cron, timeZone, after, calendar: got, scanner } of differences) {
  console.log(
    `${cron} in ${timeZone}, after ${iso(after)}: the calendar says ${iso(got)}, the scanner ${iso(scanner)}`,
  );
}
const years = `${flags.from} to ${flags.from + flags.years - 1}`;
console.log(
  `${chosen.length} time zones, ${dayCrons.length + frequentCrons.length} expressions, ${years}, ${changes} changes of clocks, ${ticks} ticks, ${differences.length} differences (time zone data ${process.versions["tz"] ?? "unknown"})`,
);
process.exitCode = differences.length === 0 ? 0 : 1;

function iso(at: number | null): string {
  return at === null ? "none" : new Date(at).toISOString();
}
