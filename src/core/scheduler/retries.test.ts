/** Retries over the scheduler alone: what was read for them may be true no longer once they are decided. */
import { expect, test } from "vitest";
import { FamilyWorld } from "../../proof/fakes/familyWorld.ts";

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
