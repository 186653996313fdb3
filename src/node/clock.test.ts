/** The clock under a faked monotonic and wall clock: drift, jumps, stalls, and timers of any length. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defaults } from "../model/limits.ts";
import { SystemClock } from "./clock.ts";

const day = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("now", () => {
  test("follows the wall clock, in whole milliseconds", () => {
    const clock = new SystemClock();
    vi.advanceTimersByTime(12_345);
    expect(clock.now()).toBe(Date.now());
    expect(Number.isInteger(clock.now())).toBe(true);
  });

  test("goes at most a tenth slower while the wall clock is behind, and never back", () => {
    const clock = new SystemClock();
    const before = clock.now();
    vi.setSystemTime(before - 10_000);
    expect(clock.now()).toBe(before);
    vi.advanceTimersByTime(1000);
    expect(clock.now()).toBe(before + 900);
    vi.advanceTimersByTime(200_000);
    expect(clock.now()).toBe(Date.now());
  });

  test("goes at most a tenth faster while the wall clock is a little ahead, and tells nobody", () => {
    const clock = new SystemClock();
    const jumps: number[] = [];
    clock.onJump((byMs) => jumps.push(byMs));
    const before = clock.now();
    vi.setSystemTime(before + 5000);
    vi.advanceTimersByTime(1000);
    expect(clock.now()).toBe(before + 1100);
    vi.advanceTimersByTime(100_000);
    expect(clock.now()).toBe(Date.now());
    expect(jumps).toEqual([]);
  });

  test("follows a wall clock that was set forward only once it has stood there, and tells by how much", () => {
    const clock = new SystemClock();
    const jumps: number[] = [];
    const stop = clock.onJump((byMs) => jumps.push(byMs));
    const before = clock.now();
    vi.setSystemTime(before + 3_600_000);
    vi.advanceTimersByTime(defaults.clockSettleMs - 1000);
    expect(clock.now()).toBe(before + defaults.clockSettleMs - 1000);
    expect(jumps).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(clock.now()).toBe(Date.now());
    expect(jumps).toEqual([3_600_000]);
    stop();
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(defaults.clockSettleMs + 1000);
    expect(jumps).toHaveLength(1);
  });

  test("never follows eight days that are taken back, and says how far the wall clock is behind", () => {
    const clock = new SystemClock();
    const before = clock.now();
    vi.setSystemTime(before + 8 * day);
    vi.advanceTimersByTime(60_000);
    vi.setSystemTime(before + 60_000 - 3_600_000);
    expect(clock.now()).toBe(before + 60_000);
    expect(clock.lagMs()).toBe(3_600_000);
  });
});

describe("a stall", () => {
  test("is told once, before anyone sees the new time", () => {
    const clock = new SystemClock();
    const told: string[] = [];
    clock.onJump((byMs) => told.push(`paused ${byMs}`));
    vi.advanceTimersByTime(250);
    // Time passes while no timer can run, as under SIGSTOP.
    stall(5000);
    const now = clock.now();
    told.push(`now ${now === Date.now()}`);
    clock.now();
    expect(told).toEqual(["paused 5000", "now true"]);
  });

  test.each([
    ["ahead", 50_000, 110_000],
    ["behind", -50_000, 90_000],
  ])("is told with what the clock gains or loses in it on a wall clock that is %s", (_where, offsetMs, toldMs) => {
    const clock = new SystemClock();
    const pauses: number[] = [];
    clock.onJump((byMs) => pauses.push(byMs));
    vi.setSystemTime(Date.now() + offsetMs);
    vi.advanceTimersByTime(250);
    const before = clock.now();
    stall(100_000);
    expect(clock.now() - before).toBe(toldMs);
    expect(pauses).toEqual([toldMs]);
  });

  test("of less than a second is none", () => {
    const clock = new SystemClock();
    const pauses: number[] = [];
    clock.onJump((byMs) => pauses.push(byMs));
    stall(900);
    clock.now();
    vi.advanceTimersByTime(10_000);
    expect(pauses).toEqual([]);
  });
});

describe("at", () => {
  test("runs timers by their time, equal ones in the order in which they were set", () => {
    const clock = new SystemClock();
    const start = clock.now();
    const ran: string[] = [];
    for (const [name, inMs] of [
      ["c", 30],
      ["a", 10],
      ["b", 20],
      ["a2", 10],
      ["past", -5],
    ] as const) {
      clock.at(start + inMs, () => {
        expect(clock.now()).toBeGreaterThanOrEqual(start + inMs);
        ran.push(name);
      });
    }
    vi.advanceTimersByTime(40);
    expect(ran).toEqual(["past", "a", "a2", "b", "c"]);
  });

  test("runs a timer that is 100 days away then, and not before", () => {
    const clock = new SystemClock();
    const run = vi.fn();
    clock.at(clock.now() + 100 * day, run);
    vi.advanceTimersByTime(250);
    // As stalls: 100 days of beats would take the test too long.
    stall(99 * day);
    vi.advanceTimersByTime(250);
    expect(run).not.toHaveBeenCalled();
    stall(day);
    vi.advanceTimersByTime(500);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test("does not run what was cancelled, and keeps the others", () => {
    const clock = new SystemClock();
    const ran: number[] = [];
    const start = clock.now();
    const timers = Array.from({ length: 500 }, (_, index) => {
      const inMs = (index * 7919) % 1000;
      return clock.at(start + inMs, () => ran.push(inMs));
    });
    for (const [index, timer] of timers.entries()) if (index % 2 === 0) timer.cancel();
    vi.advanceTimersByTime(1001);
    const expected = timers.map((_, index) => (index * 7919) % 1000).filter((_, index) => index % 2 === 1);
    expect(ran).toEqual(expected.sort((a, b) => a - b));
  });

  test("lets a timer set another one for the same instant without starving the process", () => {
    const clock = new SystemClock();
    let count = 0;
    const again = () => {
      count++;
      clock.at(0, again);
    };
    clock.at(0, again);
    vi.advanceTimersByTime(10);
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThanOrEqual(11);
  });

  test("goes on with the other timers after one has thrown", () => {
    const clock = new SystemClock();
    const run = vi.fn();
    clock.at(clock.now() + 5, () => {
      throw new Error("a bug in a timer");
    });
    clock.at(clock.now() + 5, run);
    expect(() => vi.advanceTimersByTime(10)).toThrow("a bug in a timer");
    vi.advanceTimersByTime(10);
    expect(run).toHaveBeenCalledTimes(1);
  });
});

/** Lets both clocks go on without running a timer. */
let stalledMs = 0;

function stall(ms: number): void {
  stalledMs += ms;
  if (!vi.isMockFunction(performance.now)) {
    stalledMs = ms;
    const monotonic = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => monotonic() + stalledMs);
  }
  vi.setSystemTime(Date.now() + ms);
}
