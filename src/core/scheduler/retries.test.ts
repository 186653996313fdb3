/** Retries over the scheduler alone: what was read for them may be true no longer once they are decided. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { FamilyWorld, nap } from "../../proof/fakes/familyWorld.ts";

test("what another retry has opened meanwhile is looked at again, and not opened twice", () => {
  const world = new FamilyWorld();
  world.submit("p");
  world.children("p", "a", 2);
  const [first, second] = [world.child("p", "a", 0), world.child("p", "a", 1)];
  for (const child of [first, second]) world.fail(child, "non-retryable");
  world.fail("p", "non-retryable");
  const before = world.found("p", second);
  expect(world.retry(first, false, world.found("p", first))).toMatchObject({ kind: "retried", reopened: 2 });
  expect(world.retry(second, false, before)).toEqual({ kind: "look-again" });
  expect(world.retry(second, false, world.found(second))).toMatchObject({ kind: "retried", reopened: 1 });
  expect([first, second, "p"].map((task) => world.state(task))).toEqual(["running", "running", "running"]);
});

test("a child of a set that has failed is not opened below a parent that has yet to end: some of the set were never made", () => {
  const world = new FamilyWorld();
  world.submit("p");
  world.children("p", "a", 2, { onFailure: "cancel", isLast: false });
  const first = world.child("p", "a", 0);
  world.fail(first, "non-retryable");
  // The parent is told that it was taken.
  expect(world.children("p", "a", 2, { first: 2, before: "", isLast: true })).toMatchObject({ verdict: "committed" });
  expect(world.retry(first, false, world.found(first))).toMatchObject({ kind: "refused", code: "conflict" });
  world.fail("p", "non-retryable");
  expect(world.retry(first, false, world.found("p", first))).toMatchObject({ kind: "retried", reopened: 2 });
});

test("what ends the children of a cancelled task, some in each entry, leaves those alone that a retry has opened meanwhile", () => {
  const world = new FamilyWorld(2 * limits.descendantsPerEntryMax);
  world.submit("p");
  const count = limits.descendantsPerEntryMax + 10;
  const submissions = Array.from({ length: count }, (_, index) => ({ ...nap, name: `c ${index}` }));
  const options = { key: "c", first: 0, before: "", isLast: true, onFailure: "wait" } as const;
  world.send("p", { kind: "children", submissions, ...options });
  world.suspend("p", { kind: "children", key: "c" });
  const [first = "", ...others] = submissions.map((_, index) => world.child("p", "c", index));
  const last = others.pop() ?? "";
  world.succeed(...others);
  world.fail(last, "non-retryable");
  world.fail(first);
  // The first child that is looked at is the last one to end: the task ends in that entry, and the look goes on.
  world.onBatch = () => {
    if (world.state("p") !== "cancelled") return [];
    world.onBatch = () => [];
    const found = world.found("p", first, last);
    return [{ kind: "retry", request: 7, id: "p" as TaskId, attempt: null, isFromScratch: false, found }];
  };
  const reply = world.tell({ kind: "cancel", request: 6, id: "p" as TaskId }).at(-1);
  expect(reply).toMatchObject({ kind: "retried", reopened: 3 });
  expect([first, last, "p"].map((task) => world.state(task))).toEqual(["running", "running", "running"]);
});

test("a retried child does not start beside the one that has its place, also under the next leader", () => {
  const world = new FamilyWorld();
  world.submit("p");
  world.children("p", "c", 2, { concurrencyMax: 1 });
  const [first, second] = [world.child("p", "c", 0), world.child("p", "c", 1)];
  world.fail(first, "non-retryable");
  expect(world.retry(first)).toMatchObject({ kind: "retried" });
  const states = () => [first, second].map((task) => world.state(task));
  expect(states()).toEqual(["created", "running"]);
  world.failOver();
  expect(states()).toEqual(["created", "running"]);
  world.succeed(second);
  expect(states()).toEqual(["running", "success"]);
});
