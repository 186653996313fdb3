/** Ticks of the past are made up for once, a bounded number in each entry, whoever leads and however often they are asked for. */
import { describe, expect, test } from "vitest";
import type { BlobRecord } from "../../model/blob.ts";
import { limits } from "../../model/limits.ts";
import { minute, second } from "../../model/units.ts";
import { every, range, ScheduleWorld, start } from "../../proof/fakes/scheduleWorld.ts";
import { withSpan } from "./backfill.ts";
import type { Reply } from "./effects.ts";

function backfill(world: ScheduleWorld, from: number, to: number, isDryRun = false): Reply | undefined {
  const span = { from: start + from, to: start + to };
  return world.step({ kind: "backfill-schedule", request: 5, name: "s", isDryRun, ...span })[0];
}

function ticksOf(reply: Reply | undefined, unit: number): number[] {
  if (reply?.kind !== "backfilled") throw new Error(`not backfilled: ${JSON.stringify(reply)}`);
  return reply.ticks.map((tick) => (tick - start) / unit);
}

/** Put at the start; ticks 3 to 7 were missed. */
function missed(): ScheduleWorld {
  const world = new ScheduleWorld();
  world.put({ when: every(minute), missed: "skip" });
  world.advance(2 * minute);
  world.takeOver(5.5 * minute);
  world.step();
  world.advance(minute);
  return world;
}

describe("backfill", () => {
  test("makes the tasks of ticks that were skipped, and of no others", () => {
    const world = missed();
    const before = world.ticks(minute);
    expect(before).toEqual([1, 2, 7, 8]);
    expect(ticksOf(backfill(world, minute, 8 * minute), minute)).toEqual([3, 4, 5, 6]);
    expect(world.ticks(minute)).toEqual([...before, 3, 4, 5, 6]);
    expect(world.record()).toMatchObject({ fired: before.length, settledAt: start + 8 * minute });
  });

  test("makes the tasks of ticks before the schedule was put", () => {
    const world = new ScheduleWorld();
    world.now = start + 10 * minute;
    world.put({ when: every(minute) });
    world.advance(2 * minute);
    expect(ticksOf(backfill(world, 0, 20 * minute), minute)).toEqual(range(0, 10));
    expect(world.ticks(minute)).toEqual([11, 12, ...range(0, 10)]);
  });

  test("makes none twice, also under the next leader and after the schedule was put again", () => {
    const world = missed();
    backfill(world, 0, 4 * minute);
    world.takeOver();
    expect(ticksOf(backfill(world, minute, 8 * minute), minute)).toEqual([5, 6]);
    world.step({ kind: "remove-schedule", request: 3, name: "s" });
    world.put({ when: every(minute) });
    expect(ticksOf(backfill(world, minute, 8 * minute), minute)).toEqual([]);
    expect(new Set(world.created).size).toBe(world.created.length);
  });

  test("leaves ticks that are to come, or that wait, to happen by themselves", () => {
    const world = new ScheduleWorld();
    world.put({ when: every(minute), overlap: "queue" });
    world.advance(3 * minute);
    expect(ticksOf(backfill(world, minute, 60 * minute), minute)).toEqual([]);
    world.advance(minute);
    for (const id of [...world.created]) world.cancel(id);
    expect(world.ticks(minute)).toEqual([1, 2]);
  });

  test("shows in a dry run what it would do, and changes nothing", () => {
    const world = missed();
    const { length } = world.entries;
    expect(ticksOf(backfill(world, minute, 8 * minute, true), minute)).toEqual([3, 4, 5, 6]);
    expect(world.entries).toHaveLength(length);
    expect(ticksOf(backfill(world, minute, 8 * minute), minute)).toEqual([3, 4, 5, 6]);
  });

  test("does a bounded part in each call, and says where to go on", () => {
    const world = new ScheduleWorld();
    world.now = start + 2500 * second;
    world.put({ when: every(second) });
    let made = 0;
    let calls = 0;
    for (let from: number | null = 0; from !== null; calls += 1) {
      const reply = backfill(world, from, 2400 * second);
      made += ticksOf(reply, second).length;
      from = reply?.kind === "backfilled" && reply.nextFrom !== null ? reply.nextFrom - start : null;
    }
    expect({ made, calls }).toEqual({ made: 2401, calls: 3 });
    expect(world.record().backfilled).toEqual([{ from: start, to: start + 2400 * second }]);
    expect(new Set(world.created).size).toBe(2401);
  });

  test("says why a task cannot be made, and does not send the caller round and round", () => {
    const world = new ScheduleWorld();
    world.now = start + 10 * minute;
    const sha256 = "a".repeat(64);
    const setBlob = (value: BlobRecord | null): void => {
      const write = { kind: "record", collection: "blobs", id: sha256, value } as const;
      for (const each of [world.leader, world.follower]) each.apply(write, world.now);
    };
    setBlob({ size: 1, object: "o", leasedUntil: world.now + 30 * 24 * 60 * minute });
    const task = { kind: "exec" as const, input: { command: ["cat", "data"], files: { data: `sha256:${sha256}` } } };
    const schedule = { name: "s", content: { when: every(minute), task }, fingerprint: "1", task };
    expect(world.step({ kind: "put-schedule", request: 1, schedule })[0]).toMatchObject({ kind: "schedule" });
    expect(ticksOf(backfill(world, 0, 3 * minute), minute)).toEqual([0, 1, 2, 3]);
    setBlob(null);
    expect(backfill(world, 0, 8 * minute)).toMatchObject({
      kind: "refused",
      code: "invalid",
      details: { blob: sha256 },
    });
    setBlob({ size: 1, object: "o", leasedUntil: world.now + 30 * 24 * 60 * minute });
    expect(ticksOf(backfill(world, 0, 8 * minute), minute)).toEqual([4, 5, 6, 7, 8]);
  });

  test("remembers a bounded number of separate stretches", () => {
    const world = new ScheduleWorld();
    world.now = start + 1000 * minute;
    world.put({ when: every(second) });
    for (let count = 0; count < limits.backfillSpansMax; count += 1) {
      backfill(world, count * minute, count * minute + second);
    }
    expect(backfill(world, 900 * minute, 901 * minute)).toMatchObject({ kind: "refused", code: "too-many" });
    expect(ticksOf(backfill(world, 0, 100 * minute), second).length).toBeGreaterThan(100);
  });
});

test("spans are kept in order and apart from each other", () => {
  const spans = [
    { from: 10, to: 20 },
    { from: 40, to: 50 },
  ];
  expect(withSpan(spans, { from: 25, to: 30 })).toEqual([spans[0], { from: 25, to: 30 }, spans[1]]);
  expect(withSpan(spans, { from: 21, to: 39 })).toEqual([{ from: 10, to: 50 }]);
  expect(withSpan(spans, { from: 0, to: 100 })).toEqual([{ from: 0, to: 100 }]);
  expect(withSpan(spans, { from: 5, to: 4 })).toEqual(spans);
});
