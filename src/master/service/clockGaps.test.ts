/** What is said of ticks at changes of the clocks, with the real calendar. */
import { expect, test } from "vitest";
import { SystemCalendar } from "../../node/calendar.ts";
import { clockGapNotes } from "./clockGaps.ts";
import { previewTicks } from "./schedulePreview.ts";

const calendar = new SystemCalendar();

function notes(cron: string, from: string, timeZone = "Europe/Berlin", count = 5): readonly string[] {
  const when = { cron, timeZone };
  const after = Date.parse(from);
  return clockGapNotes(when, after, previewTicks({ when, task: {} }, after, count, calendar), calendar);
}

const missing = "2027-03-28 02:00 does not exist in Europe/Berlin, as the clocks go forward";

test("ticks of an hour that does not exist are left out", () => {
  const says = `${missing}: there are no ticks from then to 02:45.`;
  expect(notes("*/15 2 * * *", "2027-03-27T00:00Z")).toEqual([says]);
  // Also if no tick before them is shown.
  expect(notes("*/15 2 * * *", "2027-03-27T12:00Z")).toEqual([says]);
  expect(notes("0 */2 * * *", "2027-03-27T20:00Z")).toEqual([`${missing}: there is no tick.`]);
});

test("a fixed time that does not exist comes later on that day", () => {
  const says = "2027-03-28 02:30 does not exist in Europe/Berlin, as the clocks go forward: that tick is at 03:00.";
  expect(notes("30 2 * * *", "2027-03-27T00:00Z")).toEqual([says]);
  expect(notes("30 2 28 3 *", "2027-01-01T00:00Z")).toEqual([says]);
});

test("nothing is said of expressions that keep their pace, of hours that come twice, and of zones without changes", () => {
  expect(notes("*/15 * * * *", "2027-03-28T00:00Z", "Europe/Berlin", 10)).toEqual([]);
  expect(notes("0 * * * *", "2027-03-27T22:00Z", "Europe/Berlin", 10)).toEqual([]);
  expect(notes("*/15 2 * * *", "2027-10-30T00:00Z", "Europe/Berlin", 20)).toEqual([]);
  expect(notes("30 2 * * *", "2027-10-30T00:00Z")).toEqual([]);
  expect(notes("*/15 2 * * *", "2027-03-27T00:00Z", "UTC")).toEqual([]);
});
