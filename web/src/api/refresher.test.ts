/** How often the screen is read again. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Changed, concerns, Refresher } from "./refresher.ts";

const tasks: Changed = new Set(["tasks"]);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Notes so many changes in a second, evenly. */
async function change(refresher: Refresher, perSecond: number, seconds: number): Promise<void> {
  for (let count = 0; count < perSecond * seconds; count += 1) {
    refresher.note(tasks);
    await vi.advanceTimersByTimeAsync(1000 / perSecond);
  }
}

test("a thousand changes in a second are one reading in a second, and one after the last of them", async () => {
  const refresh = vi.fn(async () => {});
  const refresher = new Refresher(refresh);
  await change(refresher, 1000, 10);
  expect(refresh.mock.calls.length).toBeLessThanOrEqual(11);
  expect(refresh.mock.calls.length).toBeGreaterThan(8);
  const before = refresh.mock.calls.length;
  refresher.note(tasks);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(refresh).toHaveBeenCalledTimes(before + 1);
  expect(vi.getTimerCount()).toBe(0);
});

test("a slow master is never asked twice at a time, and the last change is read after it has happened", async () => {
  const tookMs = 3_000;
  const open: { readonly dueAt: number; readonly end: () => void }[] = [];
  let openMax = 0;
  let version = 0;
  let shown = 0;
  const refresher = new Refresher(async () => {
    const read = version;
    await new Promise<void>((end) => {
      openMax = Math.max(openMax, open.push({ dueAt: performance.now() + tookMs, end }));
    });
    shown = read;
  });
  const endWhatIsDue = async () => {
    if ((open[0]?.dueAt ?? Infinity) <= performance.now()) open.shift()?.end();
    await vi.advanceTimersByTimeAsync(0);
  };
  for (; version < 100; version += 1) {
    await change(refresher, 10, 0.1);
    await endWhatIsDue();
  }
  refresher.note(tasks);
  for (let waitedMs = 0; waitedMs < 2 * tookMs + 1_000; waitedMs += 100) {
    await vi.advanceTimersByTimeAsync(100);
    await endWhatIsDue();
  }
  expect([openMax, shown]).toEqual([1, 100]);
});

test("a reading that never ends, or fails, holds nothing up for ever", async () => {
  const refresh = vi.fn((): Promise<unknown> => new Promise(() => {}));
  const refresher = new Refresher(refresh);
  await change(refresher, 10, 30);
  expect(refresh.mock.calls.length).toBeGreaterThanOrEqual(3);
  refresh.mockRejectedValue(new Error("away"));
  const before = refresh.mock.calls.length;
  await change(refresher, 10, 20);
  expect(refresh.mock.calls.length).toBeGreaterThan(before + 5);
});

test("what has changed meanwhile is handed on together, and everything after a cut", async () => {
  const seen: (readonly string[] | null)[] = [];
  const refresher = new Refresher(async (changed) => seen.push(changed === null ? null : [...changed]));
  refresher.note(tasks);
  await vi.advanceTimersByTimeAsync(10);
  for (const each of ["tasks", "workers"]) refresher.note(new Set([each]));
  await vi.advanceTimersByTimeAsync(1_000);
  refresher.note(tasks);
  refresher.note(null);
  refresher.note(tasks);
  await vi.advanceTimersByTimeAsync(1_000);
  refresher.note(tasks);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(seen).toEqual([["tasks"], ["tasks", "workers"], null, ["tasks"]]);
});

test("only what a change is about is read again", () => {
  expect(concerns(["schedules"], tasks)).toBe(false);
  expect(concerns(["schedules", "tasks"], tasks)).toBe(true);
  expect(concerns([], tasks)).toBe(false);
  expect(concerns(undefined, tasks)).toBe(true);
  expect(concerns(undefined, new Set())).toBe(false);
  expect(concerns([], null)).toBe(true);
});
