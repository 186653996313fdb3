/** What a leader adopts from the store, and what it does about documents that are in the way, over time that a test turns by hand. */
import { expect, test } from "vitest";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type ForeignTask, type Store, StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { Adopter } from "./adopter.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A store with foreign tasks in it. Each is gone once it has been submitted, as when the view has followed. */
function start(ids: readonly string[]) {
  const clock = new FakeClock();
  const foreign = new Map(ids.map((id) => [id, toForeign(id)]));
  const there = new Set<string>();
  const stubborn = new Set<string>();
  const submitted: string[][] = [];
  const rejected: string[] = [];
  let looks = 0;
  let failure: Error | null = null;
  const store = {
    findForeign: async (max: number) => {
      looks += 1;
      return [...foreign.values()].slice(0, max);
    },
    rejectForeign: async (clashing: readonly TaskId[]) => {
      for (const id of clashing) {
        rejected.push(id);
        foreign.delete(id);
      }
    },
  } as unknown as Store;
  const adopter = new Adopter({
    store,
    clock,
    log: silent,
    submit: async (tasks) => {
      if (failure !== null) throw failure;
      const conflict = tasks.find(({ id }) => stubborn.has(id));
      if (conflict !== undefined) throw new OutlastError("conflict", "exists", { id: conflict.id });
      submitted.push(tasks.map(({ id }) => id));
      return tasks.map(({ id }) => {
        const isNew = !there.has(id);
        if (isNew) foreign.delete(id);
        there.add(id);
        return { id, isNew };
      });
    },
  });
  adopter.start();
  return {
    ...{ clock, adopter, foreign, there, stubborn, submitted, rejected },
    looks: () => looks,
    fail: (error: Error | null) => void (failure = error),
  };
}

function toForeign(id: string): ForeignTask {
  return { id: id as TaskId, submission: { name: id, kind: "sleep", input: { seconds: 1 } } };
}

test("tasks are submitted in small batches, and looked for without a pause while there are more", async () => {
  const ids = Array.from({ length: limits.foreignPerSubmitMax + 5 }, (_, index) => `t${index}`);
  const { clock, submitted, looks } = start(ids);
  await clock.advance(defaults.adoptionStepMs);
  expect(submitted.map((some) => some.length)).toEqual([limits.foreignPerSubmitMax, 5]);
  await clock.advance(defaults.adoptionStepMs);
  expect(looks()).toBe(2);
  expect(submitted.flat()).toEqual(ids);
});

test("while there is nothing, the looks come slower and slower, and a task makes them quick again", async () => {
  const { clock, foreign, looks, submitted } = start([]);
  await clock.advance(60_000);
  const slow = looks();
  expect(slow).toBeLessThan(60_000 / defaults.adoptionMsMax + 5);
  foreign.set("a", toForeign("a"));
  await clock.advance(defaults.adoptionMsMax);
  expect(submitted).toEqual([["a"]]);
});

test("a task that is there already is left alone once, and its document is set aside when it is found again", async () => {
  const { clock, there, rejected } = start(["a", "b"]);
  there.add("a");
  await clock.advance(defaults.adoptionStepMs);
  expect(rejected).toEqual([]);
  await clock.advance(defaults.adoptionStepMs);
  expect(rejected).toEqual(["a"]);
});

test("one task that clashes holds up no other", async () => {
  const { clock, stubborn, submitted, rejected } = start(["a", "b", "c"]);
  stubborn.add("b");
  await clock.advance(defaults.adoptionStepMs);
  expect(submitted.flat()).toEqual(["a", "c"]);
  await clock.advance(defaults.adoptionStepMs);
  expect(rejected).toEqual(["b"]);
});

test.each([
  ["the store", new StoreUnavailable("network", "away")],
  ["the lead", new OutlastError("not-leader", "elsewhere")],
  ["a sound journal", new StoreRefused("Entry 7 is damaged.", "Restore it.")],
])("while %s is away it waits, and goes on afterwards", async (_what, error) => {
  const { clock, fail, submitted } = start(["a"]);
  fail(error);
  await clock.advance(5_000);
  expect(submitted).toEqual([]);
  fail(null);
  await clock.advance(defaults.adoptionMsMax);
  expect(submitted).toEqual([["a"]]);
});

test("a leader that is deposed looks no more, and a store of one's own is never looked at", async () => {
  const { clock, adopter, looks } = start(["a"]);
  adopter.stop();
  await clock.advance(10_000);
  expect(looks()).toBe(0);
  new Adopter({ store: {} as Store, clock, log: silent, submit: async () => [] }).start();
  await clock.advance(10_000);
});
