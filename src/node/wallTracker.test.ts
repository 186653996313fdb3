/** Steps of the wall clock in both directions, taken back or not. */
import { expect, test } from "vitest";
import { WallTracker } from "./wallTracker.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const settings = { jumpMs: minute, slewMax: 0.1, settleMs: 5 * minute };

class Clocks {
  #monotonicMs = 1000;
  #wallAt = 1_700_000_000_000;
  readonly tracker = new WallTracker({ monotonicMs: 1000, wallAt: 1_700_000_000_000 }, settings);
  jumpedMs = 0;

  /** Time passes, with a reading each second. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1000) {
      this.#monotonicMs += Math.min(1000, left);
      this.#wallAt += Math.min(1000, left);
      this.read();
    }
  }

  set(byMs: number): void {
    this.#wallAt += byMs;
    this.read();
  }

  read(suspendedMs = 0): void {
    const readings = { monotonicMs: this.#monotonicMs, wallAt: this.#wallAt + suspendedMs };
    this.#wallAt += suspendedMs;
    this.jumpedMs += this.tracker.read(readings, suspendedMs);
  }

  /** What time it is as far as schedules go. */
  get instant(): number {
    return this.tracker.now - this.tracker.lagMs;
  }

  get wallAt(): number {
    return this.#wallAt;
  }
}

test("a jump of eight days that is taken back is never followed", () => {
  const clocks = new Clocks();
  const before = clocks.tracker.now;
  clocks.set(8 * day);
  clocks.pass(4 * minute);
  expect(clocks.tracker.now).toBe(before + 4 * minute);
  clocks.set(-8 * day);
  clocks.pass(hour);
  expect(clocks.tracker.now).toBe(before + 4 * minute + hour);
  expect(clocks.instant).toBe(clocks.wallAt);
  expect(clocks.jumpedMs).toBe(0);
});

test("a jump that stands is followed after the bound, and reported as time that was missed", () => {
  const clocks = new Clocks();
  clocks.set(hour);
  clocks.pass(5 * minute);
  expect(clocks.tracker.now).toBe(clocks.wallAt);
  expect(clocks.jumpedMs).toBe(hour);
});

test("a wall clock that is set back makes nothing due early, and passed time goes on", () => {
  const clocks = new Clocks();
  const before = clocks.tracker.now;
  clocks.set(-hour);
  expect(clocks.tracker.now).toBe(before);
  expect(clocks.instant).toBe(clocks.wallAt);
  clocks.pass(minute);
  expect(clocks.tracker.now).toBeGreaterThan(before);
  expect(clocks.instant).toBe(clocks.wallAt);
  clocks.pass(10 * hour);
  expect(clocks.tracker.now).toBe(clocks.wallAt);
  expect(clocks.tracker.lagMs).toBe(0);
});

test("a master that began an hour ahead, and is then corrected, keeps to the corrected clock", () => {
  const clocks = new Clocks();
  const startAt = clocks.wallAt + 10 * minute;
  clocks.set(-hour);
  clocks.pass(hour + 9 * minute);
  expect(clocks.instant).toBeLessThan(startAt);
  clocks.pass(minute);
  expect(clocks.instant).toBeGreaterThanOrEqual(startAt);
});

test("a wall clock that was set back counts as set right only once that has stood", () => {
  const clocks = new Clocks();
  clocks.set(-hour);
  clocks.pass(minute);
  const before = clocks.instant;
  clocks.set(hour);
  clocks.pass(4 * minute);
  expect(clocks.instant).toBeLessThan(before + hour / 2);
  clocks.pass(2 * minute);
  expect(clocks.instant).toBe(clocks.wallAt);
});

test("a wall clock that is behind by little, and is then set far ahead, is still behind until that has stood", () => {
  const clocks = new Clocks();
  clocks.set(-20_000);
  const before = clocks.instant;
  clocks.set(9 * minute);
  expect(clocks.instant - before).toBe(0);
  clocks.pass(minute);
  expect(clocks.instant - before).toBe(minute);
  clocks.set(-9 * minute);
  expect(clocks.instant - before).toBe(minute);
});

test("time in which the machine was suspended has passed at once", () => {
  const clocks = new Clocks();
  const before = clocks.tracker.now;
  clocks.read(2 * hour);
  expect(clocks.tracker.now).toBe(before + 2 * hour);
  expect(clocks.jumpedMs).toBe(2 * hour);
});

test("a jump that may have been taken back while nobody looked has to stand anew", () => {
  const clocks = new Clocks();
  const before = clocks.tracker.now;
  clocks.set(day);
  clocks.pass(4 * minute);
  // The process was stopped: meanwhile the clock was right for long, and was set forward once more.
  clocks.tracker.noteBlindness();
  clocks.set(hour - day);
  clocks.pass(2 * minute);
  expect(clocks.tracker.now).toBe(before + 6 * minute);
  clocks.set(-hour);
  clocks.pass(hour);
  expect(clocks.jumpedMs).toBe(0);
});

test("a wall clock that was set right may have been set back while nobody looked: it has to stand anew", () => {
  const clocks = new Clocks();
  clocks.set(-hour);
  clocks.pass(minute);
  const before = clocks.instant;
  clocks.set(hour);
  clocks.pass(4 * minute);
  // The process was stopped: meanwhile the clock was behind for long, and was set forward once more.
  clocks.tracker.noteBlindness();
  clocks.pass(4 * minute);
  expect(clocks.instant).toBeLessThan(before + hour / 2);
  clocks.pass(2 * minute);
  expect(clocks.instant).toBe(clocks.wallAt);
});
