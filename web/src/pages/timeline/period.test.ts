/** Periods that are moved and zoomed: what is asked for is whole, and what is pointed at keeps its place. */
import { expect, test } from "vitest";
import { askedFor, movedPeriod, type Period, spanMsMax, spanMsMin, viewOf, zoomedPeriod } from "./period.ts";

const minute = 60_000;
const now = 1_795_824_185_123;
const shareOf = (at: number, period: Period) => {
  const { from, to } = viewOf(period, now);
  return (at - from) / (to - from);
};

test.each([1, 5, 15, 60, 360, 1440])(
  "from %d min, every notch of the wheel asks for whole ms around its view",
  (span) => {
    for (const factor of [0.8, 1.25]) {
      let period: Period = { spanMs: span * minute, end: null };
      for (let notch = 0; notch < 60; notch++) {
        period = zoomedPeriod(period, factor, now - 17_777.7, now);
        const view = viewOf(period, now);
        const { from, to } = askedFor(view);
        expect([from, to].every(Number.isSafeInteger)).toBe(true);
        expect(from).toBeLessThanOrEqual(Math.max(0, view.from));
        expect(to).toBeGreaterThanOrEqual(view.to);
      }
      expect(period.spanMs).toBeCloseTo(factor < 1 ? spanMsMin : spanMsMax);
    }
  },
);

test("what is pointed at stays there, also where the present was followed", () => {
  const before: Period = { spanMs: 5 * minute, end: null };
  const at = now - 2 * minute;
  for (const factor of [0.8, 1.25]) {
    const after = zoomedPeriod(before, factor, at, now);
    expect(after.spanMs).toBeCloseTo(before.spanMs * factor);
    expect(shareOf(at, after)).toBeCloseTo(shareOf(at, before));
    expect(shareOf(at, zoomedPeriod(after, factor, at, now))).toBeCloseTo(shareOf(at, before));
  }
});

test("zooming at the present goes on following it", () => {
  const before: Period = { spanMs: 5 * minute, end: null };
  expect(zoomedPeriod(before, 0.8, now - 1_000, now)).toEqual({ spanMs: 4 * minute, end: null });
});

test("even a small move into the past ends the following, and one to the present begins it", () => {
  const before: Period = { spanMs: 5 * minute, end: null };
  const past = movedPeriod(before, -100, now);
  expect(past.end).toBe(viewOf(before, now).to - 100);
  expect(movedPeriod({ spanMs: minute, end: now - minute }, 2 * minute, now).end).toBeNull();
});
