/** The clock of the page, where nothing showed it for some time. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SharedClock } from "./sharedClock.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("after minutes on a page without clocks, it is right at the first look", () => {
  const clock = new SharedClock();
  clock.subscribe(() => {})();
  vi.advanceTimersByTime(5 * 60_000);
  expect(clock.now()).toBe(Date.now());
});

test("it is right also where the browser held back its ticks", () => {
  const clock = new SharedClock();
  const stop = clock.subscribe(() => {});
  vi.setSystemTime(Date.now() + 60_000);
  expect(clock.now()).toBe(Date.now());
  stop();
});

test("between two ticks it stands still, so that all that is drawn at a time agrees", () => {
  const clock = new SharedClock();
  let ticks = 0;
  const stop = clock.subscribe(() => ticks++);
  vi.advanceTimersByTime(2_000);
  const shown = clock.now();
  vi.advanceTimersByTime(999);
  expect([clock.now(), ticks]).toEqual([shown, 2]);
  stop();
});
