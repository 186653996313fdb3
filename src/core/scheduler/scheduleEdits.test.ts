/** Schedules that are edited, paused, removed, or whose clock is set: no tick is lost without a word, and none comes too early. */
import { describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { tickId } from "../../model/schedules/schedule.ts";
import { hour, minute, second } from "../../model/units.ts";
import { every, range, ScheduleWorld, start } from "../../proof/fakes/scheduleWorld.ts";

describe("a wall clock that was set back", () => {
  test("lets a tick happen at its instant, not before", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute) });
    world.lag(30 * second);
    world.advance(minute);
    expect(world.created).toEqual([]);
    world.advance(30 * second);
    expect(world.ticks(minute)).toEqual([1]);
  });

  test("is the clock by which an edit counts", () => {
    const world = new ScheduleWorld();
    world.lag(30 * second);
    world.put({ when: every(minute) });
    expect(world.record()).toMatchObject({ settledAt: start - 30 * second, nextAt: start });
  });
});

describe("ticks that pass without a task leave a word on it", () => {
  test("while the schedule is paused, and is put again before it is resumed", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second), isPaused: true });
    world.advance(5 * second);
    world.put({ when: every(second) });
    world.advance(2 * second);
    expect(world.ticks(second)).toEqual([6, 7]);
    expect(world.record().skipped).toEqual([{ from: start + second, to: start + 5 * second, reason: "paused" }]);
  });

  test("while the schedule said something else", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(hour) });
    world.advance(10 * minute);
    world.put({ when: every(minute) });
    expect(world.record()).toMatchObject({
      settledAt: start + 10 * minute,
      nextAt: start + 11 * minute,
      skipped: [{ from: start + minute, to: start + 10 * minute, reason: "edited" }],
    });
  });

  test("while there was no schedule of the name", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(second) });
    world.advance(2 * second);
    world.step({ kind: "remove-schedule", request: 3, name: "s" });
    world.advance(3 * second);
    world.put({ when: every(second) });
    expect(world.record().skipped).toEqual([{ from: start + 3 * second, to: start + 5 * second, reason: "removed" }]);
  });

  test("but not before it was removed, which an entry tells that also puts it again", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(hour) });
    world.advance(10 * minute);
    const schedule = { ...world.record(), content: { when: every(minute) }, fingerprint: "another" };
    const { name, content, fingerprint, task } = schedule;
    world.step(
      { kind: "remove-schedule", request: 3, name },
      { kind: "put-schedule", request: 4, schedule: { name, content, fingerprint, task } },
    );
    const writes = world.entries.at(-1) ?? [];
    expect(writes.map((write) => (write.kind === "record" ? write.value : null))).toMatchObject([
      { isRemoved: true, skipped: [], settledAt: start + 10 * minute },
      { fingerprint, skipped: [], nextAt: start + 11 * minute },
    ]);
  });

  test("when the schedule is removed while they wait", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute), overlap: "queue" });
    world.advance(3 * minute);
    world.step({ kind: "remove-schedule", request: 3, name: "s" });
    expect(world.record()).toMatchObject({ queued: [], isRemoved: true });
    expect(world.record().skipped).toEqual([{ from: start + 2 * minute, to: start + 3 * minute, reason: "removed" }]);
  });

  test("when a later one takes the place of all that wait", () => {
    const world = new ScheduleWorld();
    world.connect();
    world.put({ when: every(2 * second), overlap: "queue" });
    world.advance(6 * second);
    world.put({ when: every(2 * second), overlap: "cancel" });
    world.advance(2 * second);
    expect(world.record().queued).toEqual([start + 8 * second]);
    expect(world.record().skipped).toEqual([{ from: start + 4 * second, to: start + 6 * second, reason: "replaced" }]);
  });
});

describe("an edit of what happens on an overlap", () => {
  test("counts the tasks that were made before", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute) });
    world.advance(2 * minute);
    world.put({ when: every(minute), overlap: "skip" });
    world.advance(minute);
    expect(world.ticks(minute)).toEqual([1, 2]);
    for (const id of [...world.created]) world.cancel(id);
    world.advance(minute);
    expect(world.ticks(minute)).toEqual([1, 2, 4]);
  });

  test("lets those that wait run, if it is allowed now", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute), overlap: "queue" });
    world.advance(3 * minute);
    world.put({ when: every(minute) });
    world.advance(minute);
    expect(world.ticks(minute)).toEqual(range(1, 4));
    expect(world.record().skipped).toEqual([]);
  });
});

describe("a process that still runs after its task was cancelled", () => {
  function cancelled(overlap: "skip" | "queue"): ScheduleWorld {
    const world = new ScheduleWorld();
    world.connect();
    world.put({ when: every(2 * second), overlap });
    world.advance(2 * second);
    world.cancel(tickId("s", start + 2 * second));
    return world;
  }

  test("holds the next tick up until its worker has reported its end", () => {
    const world = cancelled("queue");
    world.advance(2 * second);
    expect(world.ticks(2 * second)).toEqual([1]);
    world.end(world.assigned[0]!);
    expect(world.ticks(2 * second)).toEqual([1, 2]);
  });

  test("is still known to the next leader, once the worker has come", () => {
    const world = cancelled("skip");
    world.takeOver(2 * second);
    world.step();
    // The worker has not come yet: nobody knows what still runs.
    expect(world.record()).toMatchObject({ nextAt: start + 4 * second, skipped: [] });
    world.connect([world.assigned[0]!]);
    world.advance(second);
    expect(world.ticks(2 * second)).toEqual([1]);
    expect(world.record().skipped).toMatchObject([{ from: start + 4 * second, reason: "overlap" }]);
  });

  test("does not hold up the next leader, if the worker comes without it", () => {
    const world = cancelled("skip");
    world.takeOver(2 * second);
    world.step();
    world.connect();
    world.advance(second);
    expect(world.ticks(2 * second)).toEqual([1, 2]);
  });
});

test("an edit settles no more ticks than one entry holds", () => {
  const world = new ScheduleWorld();
  world.put({ when: every(second), missed: "all" });
  world.takeOver(3 * limits.ticksPerEntryMax * second);
  expect(world.put({ when: every(minute) })).toMatchObject({ kind: "refused", code: "unavailable" });
});
