/** The calendar against a scanner that looks at every minute, around changes of the clocks; the long version is `npm run calendar`. */
import { assert, constantFrom, integer, oneof, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import type { Calendar } from "../model/schedules/schedule.ts";
import { dayCrons, frequentCrons, zones } from "../proof/calendar/cases.ts";
import { compare, spansAround } from "../proof/calendar/compare.ts";
import { CronScanner } from "../proof/calendar/cronScanner.ts";
import { type ZoneOffsets, zoneOffsets } from "../proof/calendar/zoneOffsets.ts";
import { SystemCalendar } from "./calendar.ts";

const calendar = new SystemCalendar();
const dayMs = 86_400_000;
const year = { from: Date.UTC(2011, 0, 1), to: Date.UTC(2012, 0, 1) };

const known = new Map<string, ZoneOffsets>();
function zone(name: string): ZoneOffsets {
  const its = known.get(name) ?? zoneOffsets(name, year.from - 40 * dayMs, year.to);
  known.set(name, its);
  return its;
}

describe("the calendar agrees with a scan over every minute", () => {
  // Each change of its own kind: an hour, at midnight, half an hour, a whole day, around Ramadan.
  for (const name of [
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
  ]) {
    test(`in ${name}, in 2011`, () => {
      const its = zone(name);
      expect(its.changes.length).toBeGreaterThan(0);
      for (const cron of [...dayCrons, ...frequentCrons]) {
        const spans = spansAround(its, year);
        expect(compare(calendar, cron, name, its, spans).differences).toEqual([]);
      }
    });
  }

  const number = (min: number, max: number) => integer({ min, max }).map(String);
  const list = (min: number, max: number) =>
    oneof(
      number(min, max),
      tuple(number(min, max), number(min, max)).map(([one, other]) => `${one},${other}`),
      tuple(integer({ min, max }), integer({ min, max })).map(([one, other]) => {
        return `${Math.min(one, other)}-${Math.max(one, other)}`;
      }),
    );
  const field = (min: number, max: number, step: number) =>
    oneof(list(min, max), constantFrom("*", `*/${step}`, `${min}-${max}/${step}`));
  const cron = tuple(
    field(0, 59, 13),
    oneof(field(0, 23, 5), list(0, 4)),
    oneof(constantFrom("*"), list(1, 31)),
    oneof(constantFrom("*", "*"), list(1, 12)),
    oneof(constantFrom("*"), list(0, 6)),
  ).map((fields) => fields.join(" "));

  test("for any expression, around a change of the clocks of any zone", () => {
    assert(
      property(cron, constantFrom(...zones.slice(0, 8)), integer({ min: 0, max: 1000 }), (text, name, pick) => {
        const its = zone(name);
        const change = its.changes[pick % Math.max(1, its.changes.length)] ?? year.from;
        const from = Math.max(year.from, change - 2 * dayMs);
        const result = compare(calendar, text, name, its, [{ from, to: Math.min(year.to, change + 2 * dayMs) }]);
        expect(result.differences).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

test("the scanner sees a calendar that takes a list of hours for an interval", () => {
  const its = zone("Europe/Berlin");
  const asInterval: Calendar = {
    nextCron: (_cron, place, after) => calendar.nextCron("30 1-3/1 * * *", place, after),
    localText: () => "",
    offsetMs: () => 0,
  };
  const wrong = compare(asInterval, "30 1,2,3 * * *", "Europe/Berlin", its, spansAround(its, year));
  expect(wrong.differences.length).toBeGreaterThan(0);
});

test("seconds are scanned, too", () => {
  const scanner = new CronScanner("*/20 * * * * *", () => 0, 1000, 60_000);
  expect([...scanner.ticks(0, 60_000)]).toEqual([20_000, 40_000, 60_000]);
  for (const after of [0, 19_999, 20_000]) {
    expect(calendar.nextCron("*/20 * * * * *", "UTC", after)).toBe(scanner.next(after, 60_000));
  }
});

describe("what people read", () => {
  test("is what the clocks show, with their distance from UTC", () => {
    expect(calendar.localText(Date.UTC(2026, 10, 26, 18), "Europe/Berlin")).toBe("2026-11-26 19:00:00 +01:00");
    expect(calendar.localText(Date.UTC(2026, 10, 26, 18), "America/St_Johns")).toBe("2026-11-26 14:30:00 -03:30");
    expect(calendar.localText(0, "Asia/Kathmandu")).toBe("1970-01-01 05:30:00 +05:30");
  });

  test.each([
    ["0 0 * * moon", '"moon" cannot be the day of the week (0 to 7, or SUN to SAT)'],
    ["61 24 * * *", '"61" cannot be the minute (0 to 59), and "24" cannot be the hour (0 to 23)'],
    ["0 0 0 5-1 * *", '"5-1" cannot be the day of the month (1 to 31)'],
    ["@soon", '"@soon" cannot be'],
  ])("names the field of %s that cannot be read, and no library", (cron, why) => {
    const read = () => calendar.nextCron(cron, "UTC", 0);
    expect(read).toThrow(`The cron expression "${cron}" cannot be read: ${why}`);
    expect(read).not.toThrow(/CronPattern/);
  });
});
