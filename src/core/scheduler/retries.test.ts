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
