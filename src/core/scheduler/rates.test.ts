/** Rate limits of queues: never more starts in any stretch of time than allowed, also by a leader that reads them from the journal. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BootId, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { FamilyWorld } from "../../proof/fakes/familyWorld.ts";
import { Lanes } from "./lanes.ts";
import { Queues } from "./queues.ts";
import { Rates } from "./rates.ts";

function rated(count: number, perMs: number) {
  const queues = new Queues();
  const rates = new Rates(queues, new Lanes(queues));
  const queue = queues.open("q");
  queue.rate = { count, perMs };
  rates.watch(queue);
  return { queue, rates };
}

test("no stretch of time holds more starts than the rate allows, whoever leads (I31)", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 1_000 }),
      fc.array(fc.record({ afterMs: fc.nat({ max: 400 }), isNewLeader: fc.boolean() }), { maxLength: 200 }),
      (count, perMs, tries) => {
        let { queue, rates } = rated(count, perMs);
        const starts: number[] = [];
        let now = 1_000;
        for (const { afterMs, isNewLeader } of tries) {
          now += afterMs;
          if (isNewLeader) {
            const next = rated(count, perMs);
            next.rates.put("q", rates.recordOf("q"));
            ({ queue, rates } = next);
          }
          rates.prune(now);
          const inTime = starts.filter((at) => at > now - perMs).length;
          if (!queue.isRateUsedUp) {
            rates.noteStart(queue, now);
            starts.push(now);
          }
          // Neither too many, nor too few while all instants are kept.
          expect(queue.isRateUsedUp || inTime < count).toBe(true);
          expect(starts.filter((at) => at > now - perMs).length).toBeLessThanOrEqual(count);
        }
      },
    ),
  );
});

test("a rate with more starts than instants are kept for is kept all the same", () => {
  const { queue, rates } = rated(10 * limits.rateInstantsMax, 100_000);
  let now = 0;
  for (; !queue.isRateUsedUp; now += 1) rates.noteStart(queue, now);
  expect(now).toBe(10 * limits.rateInstantsMax);
  expect(queue.starts.length).toBeLessThanOrEqual(limits.rateInstantsMax);
});

test.each([150, 1_000, 20_000])("with a rate of %i a minute, nine tenths of that start at once", (count) => {
  const perMs = 60_000;
  const { queue, rates } = rated(count, perMs);
  const everyMs = perMs / (0.9 * count);
  const starts: number[] = [];
  let longestMs = 0;
  for (let number = 0; number < 3 * count; number += 1) {
    const dueAt = Math.round(number * everyMs);
    let now = Math.max(dueAt, starts.at(-1) ?? 0);
    rates.prune(now);
    while (queue.isRateUsedUp) {
      now = rates.nextWakeAt ?? now;
      rates.prune(now);
    }
    rates.noteStart(queue, now);
    starts.push(now);
    longestMs = Math.max(longestMs, now - dueAt);
    expect(queue.starts.length).toBeLessThanOrEqual(limits.rateInstantsMax);
    const first = starts[starts.length - count - 1];
    if (first !== undefined) expect(now - first).toBeGreaterThanOrEqual(perMs);
  }
  expect(longestMs).toBe(0);
});

test("starts that a leader with a clock ahead has noted do not close the queue for longer than its rate says", () => {
  const { queue, rates } = rated(1, 1_000);
  rates.put("q", { name: "q", starts: [[999_999, 1]] });
  rates.prune(5_000);
  expect(rates.nextWakeAt).toBe(6_000);
  rates.prune(6_000);
  expect(queue.isRateUsedUp).toBe(false);
});

test("a queue whose rate was taken away is not kept for the starts that it had", () => {
  const world = new FamilyWorld();
  const names = (): string[] => {
    // A queue that a worker serves is always there.
    world.tell({ kind: "report-exit", request: 0, worker: world.worker, boot: "boot-1" as BootId });
    const reply = world.tell({ kind: "inspect-queues", request: 0 }).at(-1);
    return reply?.kind === "queues" ? reply.queues.map(({ name }) => name) : [];
  };
  const setRate = (rate: { readonly count: number; readonly perMs: number } | null) =>
    world.tell({ kind: "set-queue", request: 0, name: "etl", settings: { rate } });
  setRate({ count: 5, perMs: 1_000 });
  world.submit("t", { queue: "etl" });
  world.succeed("t");
  setRate(null);
  world.tell({ kind: "forget", seq: world.seq, tasks: [{ id: "t" as TaskId, queue: "etl", state: "success" }] });
  expect(names()).toEqual([]);
  world.failOver();
  expect(names()).toEqual([]);
});

test("starts that an earlier version has left of a queue without a rate go when a leader begins", () => {
  const { queue, rates } = rated(5, 1_000);
  rates.noteStart(queue, 1);
  queue.rate = null;
  rates.watch(queue);
  rates.dropLeftovers();
  const out = { seq: 1, writes: [], effects: [] };
  rates.writeTouched({ now: 2, out });
  rates.writeTouched({ now: 3, out });
  expect(out.writes).toEqual([{ kind: "record", collection: "queueStarts", id: "q", value: null }]);
});
