/** Schedules under one scheduler and its followers: every tick once, whatever is edited and whoever leads. */
import { describe, expect, test } from "vitest";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { type Calendar, noCalendar, tickId } from "../../model/schedules/schedule.ts";
import { utcText } from "../../model/schedules/utcText.ts";
import { day, hour, minute, second } from "../../model/units.ts";
import { every, range, ScheduleWorld, start } from "../../proof/fakes/scheduleWorld.ts";

test("each tick makes one task, and the next tick is in the same entry", () => {
  const world = new ScheduleWorld();
  world.put({ when: every(second) });
  world.advance(10 * second);
  expect(world.ticks(second)).toEqual(range(1, 10));
  for (const writes of world.entries.slice(1)) {
    const spec = writes.find((write) => write.kind === "spec");
    const record = writes.find((write) => write.kind === "record");
    if (spec?.kind !== "spec" || record?.kind !== "record") throw new Error("A tick takes two entries.");
    expect(record.value).toMatchObject({
      settledAt: spec.spec.schedule?.tickAt,
      nextAt: Number(spec.spec.schedule?.tickAt) + second,
    });
  }
});

test("a calendar is asked by the leader only, and its answer is stored", () => {
  const world = new ScheduleWorld();
  world.put({ when: { cron: "0 * * * *" } });
  world.advance(3 * hour);
  expect(world.created).toHaveLength(3);
  expect(world.record().nextAt).toBe((Math.floor(world.now / hour) + 1) * hour);
});

describe("a new leader", () => {
  /** Time zone data of another age: a zone whose clocks are shifted by so much, and UTC as it is. */
  const shifted = (byMs: number): Calendar => ({
    ...noCalendar,
    nextCron: (_cron, zone, after) => {
      const shiftMs = zone === "UTC" ? 0 : byMs;
      return (Math.floor((after - shiftMs) / hour) + 1) * hour + shiftMs;
    },
  });
  const when = { cron: "0 * * * *", timeZone: "Sim/Shifted" };

  test.each([
    [-20, 40],
    [20, 20],
  ])("works out the next tick by its own time zone data, with clocks that differ by %d minutes", (byMinutes, at) => {
    const world = new ScheduleWorld();
    world.put({ when });
    world.put({ when: { cron: "0 * * * *" } }, "by-utc");
    world.put({ when: every(hour) }, "by-interval");
    world.advance(5 * minute);
    const [before, other] = [world.record().nextAt ?? 0, world.record("by-interval")];
    world.takeOver(0, shifted(byMinutes * minute));
    world.step();
    expect(world.record()).toMatchObject({ nextAt: start + at * minute });
    expect(world.record("by-interval")).toEqual(other);
    expect(world.record("by-utc").nextAt).toBe(before);
    world.advance(3 * hour);
    const own = world.created.filter((id) => id.startsWith("s@")).map((id) => Date.parse(id.slice(2)));
    expect(own).toEqual([0, 1, 2].map((index) => start + at * minute + index * hour));
  });

  test("makes a tick that its data put into the past, once, and none again that has been", () => {
    const world = new ScheduleWorld();
    world.put({ when });
    // To 50 minutes after the first tick.
    world.advance(hour + 50 * minute - (world.now % hour));
    const first = Math.floor(world.now / hour) * hour;
    world.takeOver(0, shifted(30 * minute));
    world.step();
    expect(world.created.map((id) => Date.parse(id.slice(2)))).toEqual([first, first + 30 * minute]);
    world.takeOver();
    world.step();
    expect(world.record().nextAt).toBe(first + hour);
    expect(world.created).toHaveLength(2);
  });

  test.each([
    ["later", 60, 1],
    ["earlier", -60, 0],
  ])("does not make a tick again whose clocks are %s by its data", (_what, byMinutes, settledOn) => {
    const world = new ScheduleWorld();
    const daily = (byMs: number): Calendar => ({
      ...noCalendar,
      nextCron: (_cron, _zone, after) => (Math.floor((after - byMs) / day) + 1) * day + byMs,
    });
    world.put({ when });
    world.takeOver(0, daily(0));
    world.step();
    world.advance(2 * day + 10 * minute - (world.now % day));
    const last = Math.floor(world.now / day) * day;
    const before = world.created.length;
    world.takeOver(0, daily(byMinutes * minute));
    world.step();
    expect(world.record()).toMatchObject({ nextAt: last + day + byMinutes * minute });
    expect(world.record().settledAt).toBe(last + settledOn * byMinutes * minute);
    world.advance(day + 2 * hour);
    expect(world.created.length).toBe(before + 1);
    // The one before leads again.
    world.takeOver(0, daily(0));
    world.step();
    expect(world.record().nextAt).toBe(last + 2 * day);
    expect(world.created.length).toBe(before + 1);
  });

  test("works out the next ticks of many schedules a few at a time", () => {
    const world = new ScheduleWorld();
    const count = limits.nextTicksPerLookMax + 10;
    for (let index = 0; index < count; index += 1) world.put({ when }, `s${index}`);
    const calendar = shifted(20 * minute);
    world.takeOver(0, calendar);
    world.step();
    const changed = (): number =>
      Array.from({ length: count }, (_, index) => world.record(`s${index}`)).filter(
        ({ nextAt }) => (nextAt ?? 0) % hour > 0,
      ).length;
    expect(changed()).toBe(limits.nextTicksPerLookMax);
    world.advance(second);
    expect(changed()).toBe(count);
  });

  test("leaves schedules as they are whose time zone its machine does not know", () => {
    const world = new ScheduleWorld();
    world.put({ when });
    const { nextAt } = world.record();
    const unknown = () => {
      throw new OutlastError("invalid", "Unknown time zone.");
    };
    world.takeOver(0, { ...noCalendar, nextCron: unknown });
    world.step();
    expect(world.record().nextAt).toBe(nextAt);
  });

  test("fires each tick once, wherever the old one died", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second), missed: "all" });
    for (let round = 0; round < 50; round += 1) {
      world.advance(700);
      world.takeOver(round % 3 === 0 ? 1300 : 0);
      world.step();
    }
    world.advance(second);
    const ticks = world.ticks(second);
    expect(ticks).toEqual(range(1, Math.floor((world.now - start) / second)));
  });

  test("whose clock is behind fires nothing again", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second) });
    world.advance(10 * second);
    world.takeOver(-5 * second);
    world.advance(10 * second);
    expect(world.ticks(second)).toEqual(range(1, 15));
  });
});

describe("missed ticks", () => {
  const missing = (missed: "skip" | "latest" | "all", ms = 10 * minute, more = {}) => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute), missed, ...more });
    world.advance(2 * minute);
    world.takeOver(ms);
    world.step();
    return world;
  };

  test("are skipped, with a word on it", () => {
    const world = missing("skip");
    // The last two are late by less than the grace.
    expect(world.ticks(minute)).toEqual([1, 2, 11, 12]);
    expect(world.record().skipped).toMatchObject([{ from: start + 3 * minute, reason: "missed" }]);
  });

  test("are made up for by the latest one", () => {
    expect(missing("latest").ticks(minute)).toEqual([1, 2, 11, 12]);
    const hourly = new ScheduleWorld();
    hourly.put({ when: every(hour), missed: "latest" });
    hourly.takeOver(5 * hour + 30 * minute);
    hourly.step();
    expect(hourly.ticks(hour)).toEqual([5]);
    expect(hourly.record().skipped).toEqual([{ from: start + hour, to: start + 4 * hour, reason: "missed" }]);
  });

  test("are all made up for, within the window", () => {
    expect(missing("all").ticks(minute)).toEqual(range(1, 12));
    const world = missing("all", 10 * minute, { missedWindowMs: 4 * minute });
    expect(world.ticks(minute)).toEqual([1, 2, ...range(8, 12)]);
  });

  test("of a very long time cost a bounded number of entries", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second), missed: "skip" });
    world.takeOver(300 * day);
    const before = world.entries.length;
    world.advance(0);
    expect(world.entries.length - before).toBe(1);
  });

  test("come a bounded number in each entry", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second), missed: "all" });
    world.takeOver(1500 * second);
    world.step();
    expect(world.created).toHaveLength(limits.ticksPerEntryMax);
    world.step();
    expect(world.ticks(second)).toEqual(range(1, 1500));
  });
});

describe("a tick while an earlier task has not ended", () => {
  const overlapping = (overlap: "allow" | "skip" | "queue" | "cancel") => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute), overlap });
    world.advance(3 * minute);
    return world;
  };

  test("runs, if that is allowed", () => {
    expect(overlapping("allow").ticks(minute)).toEqual([1, 2, 3]);
  });

  test("is skipped, with a word on it, and the next one runs after the end", () => {
    const world = overlapping("skip");
    expect(world.ticks(minute)).toEqual([1]);
    expect(world.record().skipped).toEqual([{ from: start + 2 * minute, to: start + 3 * minute, reason: "overlap" }]);
    world.cancel(tickId("s", start + minute));
    world.advance(minute);
    expect(world.ticks(minute)).toEqual([1, 4]);
  });

  test("waits, also across leaders, and runs when the earlier one ends", () => {
    const world = overlapping("queue");
    expect(world.ticks(minute)).toEqual([1]);
    world.takeOver();
    world.cancel(tickId("s", start + minute));
    expect(world.ticks(minute)).toEqual([1, 2]);
    world.cancel(tickId("s", start + 2 * minute));
    expect(world.ticks(minute)).toEqual([1, 2, 3]);
    expect(world.record().queued).toEqual([]);
  });

  test("is skipped once too many wait", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second), overlap: "queue" });
    world.advance((limits.queuedTicksMax + 3) * second);
    expect(world.record().queued).toHaveLength(limits.queuedTicksMax);
    expect(world.record().skipped).toMatchObject([{ reason: "queue-full" }]);
  });

  test("is skipped when the schedule is removed, all of them with a word on it however many wait", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second), overlap: "queue" });
    world.advance((limits.queuedTicksMax + 5) * second);
    const [first] = world.record().queued;
    // One more waits, behind those that were skipped.
    world.cancel(tickId("s", start + second));
    world.advance(second);
    const { queued } = world.record();
    world.step({ kind: "remove-schedule", request: 3, name: "s" });
    const { skipped } = world.record();
    const isSkipped = (tick: number) =>
      skipped.some(({ from, to, reason }) => reason === "removed" && from <= tick && tick <= to);
    expect(queued.filter((tick) => !isSkipped(tick))).toEqual([]);
    expect(isSkipped(first ?? 0)).toBe(false);
    expect(skipped.map(({ reason }) => reason)).toEqual(["queue-full", "removed", "removed"]);
  });

  test("cancels the earlier one", () => {
    const world = overlapping("cancel");
    expect(world.ticks(minute)).toEqual([1, 2, 3]);
    expect(world.leader.countTasks()).toMatchObject({ created: 1, cancelled: 2 });
  });
});

describe("an edit", () => {
  test("settles ticks that are due first, and fires none again", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second) });
    world.advance(5 * second);
    world.now += 2 * second;
    world.put({ when: every(second), jitterMs: 1 });
    expect(world.ticks(second)).toEqual(range(1, 7));
    world.put({ when: every(second) });
    world.advance(2 * second);
    expect(world.ticks(second)).toEqual(range(1, 9));
  });

  test("with the same content changes nothing", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second) });
    const entries = world.entries.length;
    expect(world.put({ when: every(second) })).toMatchObject({ isNew: false });
    expect(world.entries).toHaveLength(entries);
  });

  test("after a removal fires no tick again, also with a clock that was set back", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second) });
    world.advance(5 * second);
    world.step({ kind: "remove-schedule", request: 3, name: "s" });
    world.advance(2 * second);
    world.takeOver(-4 * second);
    world.put({ when: every(second) });
    world.advance(8 * second);
    expect(world.ticks(second)).toEqual([...new Set(world.ticks(second))]);
    expect(world.ticks(second).slice(0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

test("a paused schedule makes no tasks, and says so afterwards", () => {
  const world = new ScheduleWorld();
  world.put({ when: every(second) });
  world.advance(2 * second);
  world.step({ kind: "pause-schedule", request: 3, name: "s", isPaused: true });
  world.advance(5 * second);
  world.takeOver();
  world.step({ kind: "pause-schedule", request: 4, name: "s", isPaused: false });
  world.advance(2 * second);
  expect(world.ticks(second)).toEqual([1, 2, 8, 9]);
  expect(world.record().skipped).toEqual([{ from: start + 3 * second, to: start + 7 * second, reason: "paused" }]);
});

test("a change leaves a schedule paused, unless it says otherwise", () => {
  const world = new ScheduleWorld();
  world.put({ when: every(second) });
  world.advance(second);
  world.step({ kind: "pause-schedule", request: 3, name: "s", isPaused: true });
  world.put({ when: every(second), missed: "all" });
  world.advance(2 * second);
  expect(world.record()).toMatchObject({ isPaused: true, content: { missed: "all" } });
  expect(world.ticks(second)).toEqual([1]);
  world.put({ when: every(second), missed: "all", isPaused: false });
  world.advance(2 * second);
  expect(world.ticks(second)).toEqual([1, 4, 5]);
  // The same once more, after somebody has paused it: what it says is done.
  world.step({ kind: "pause-schedule", request: 4, name: "s", isPaused: true });
  world.put({ when: every(second), missed: "all", isPaused: false });
  world.advance(second);
  expect(world.ticks(second)).toEqual([1, 4, 5, 6]);
});

test("one instant, a start and an end are kept", () => {
  const world = new ScheduleWorld();
  world.put({ when: { at: start + 5 * second } }, "once");
  world.put({ when: every(second), startsAt: start + 3 * second, endsAt: start + 4 * second }, "s");
  world.advance(minute);
  expect(world.created).toEqual([
    tickId("s", start + 3 * second),
    tickId("s", start + 4 * second),
    tickId("once", start + 5 * second),
  ]);
});

test("jitter delays a task by a bounded time and never changes its tick", () => {
  const world = new ScheduleWorld();
  world.put({ when: every(minute), jitterMs: 20 * second });
  const at: number[] = [];
  for (let ms = 0; ms < 10 * minute; ms += second) {
    const before = world.created.length;
    world.advance(second);
    if (world.created.length > before) at.push(world.now - start);
  }
  expect(world.ticks(minute).slice(0, 9)).toEqual(range(1, 9));
  for (const [index, ms] of at.entries()) {
    expect(ms).toBeGreaterThanOrEqual((index + 1) * minute);
    expect(ms).toBeLessThanOrEqual((index + 1) * minute + 21 * second);
  }
});

test.each(["skip", "latest"] as const)("a tick that waits for its jitter is not missed, with missed: %s", (missed) => {
  const world = new ScheduleWorld();
  world.put({ when: every(hour), jitterMs: hour / 4, missed });
  world.advance(10 * hour + hour / 2);
  expect(world.ticks(hour)).toEqual(range(1, 10));
  expect(world.record().skipped).toEqual([]);
});

test("the text of an instant is that of Date", () => {
  for (let at = 0; at < limits.instantMsMax; at += 86_399_999_999 / 7) {
    const whole = Math.floor(at);
    expect(utcText(whole)).toBe(new Date(whole).toISOString().replace(".000Z", "Z"));
  }
});
