/** Signals: each is delivered once, however often it is sent. */
import { expect, test } from "vitest";
import { FamilyWorld as World } from "../../proof/fakes/familyWorld.ts";

test("a task gets a signal once, whether it came before or after", () => {
  const world = new World();
  world.submit("p");
  expect(world.signal("p", "1", "go")).toEqual({ kind: "done" });
  expect(world.signal("p", "1", "go")).toEqual({ kind: "done" });
  world.suspend("p", { kind: "signal", key: "a", name: "go" });
  expect(world.step("p", "a")).toMatchObject({ signal: { id: "1", payload: { from: "1" } } });
  expect(world.state("p")).toBe("running");
  world.suspend("p", { kind: "signal", key: "b", name: "go", timeoutMs: 100 });
  world.signal("p", "1", "go");
  expect(world.state("p")).toBe("waiting");
  world.signal("p", "2", "go");
  expect(world.step("p", "b")).toMatchObject({ signal: { id: "2", payload: { from: "2" } } });
  world.suspend("p", { kind: "signal", key: "c", name: "go", timeoutMs: 100 });
  world.pass(100);
  expect(world.step("p", "c")).toMatchObject({ signal: null });
  world.succeed("p");
  expect(world.signal("p", "3", "go")).toMatchObject({ kind: "refused", code: "not-found" });
});

test("a task gets a signal once, also when it is retried", () => {
  const world = new World();
  world.submit("p");
  world.signal("p", "1", "go");
  world.suspend("p", { kind: "signal", key: "a", name: "go" });
  for (const isFromScratch of [false, true]) {
    world.fail("p", "non-retryable");
    world.retry("p", isFromScratch);
    // Whoever did not hear that it was delivered sends it again.
    expect(world.signal("p", "1", "go")).toEqual({ kind: "done" });
    world.suspend("p", { kind: "signal", key: "b", name: "go" });
    expect(world.state("p")).toBe("waiting");
    world.failOver();
    world.signal("p", `new-${isFromScratch}`, "go");
    expect(world.state("p")).toBe("running");
  }
  world.fail("p", "non-retryable");
  expect(world.statuses.get("p")?.family?.signalled).toEqual(["1", "new-false", "new-true"]);
});

test("a signal that is sent again while the outcome of its task is decided has been taken, and another one comes too late", () => {
  const world = new World();
  world.submit("p");
  world.children("p", "c", 1);
  world.signal("p", "1", "go");
  world.succeed("p");
  expect(world.state("p")).toBe("waiting, ending as success");
  expect(world.signal("p", "1", "go")).toEqual({ kind: "done" });
  expect(world.signal("p", "2", "go")).toMatchObject({ kind: "refused", code: "already-final" });
});
