/** Families over the scheduler alone: what attempts send and end with, and what the journal says of it, also to the next leader. */
import { describe, expect, test } from "vitest";
import { foldItem } from "../../model/family.ts";
import type { BootId, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { nap, FamilyWorld as World } from "../../proof/fakes/familyWorld.ts";

describe("steps", () => {
  test("are kept, and the next attempt is told how many there are", () => {
    const world = new World();
    world.submit("p", { backoffBaseMs: 0 });
    expect(world.send("p", { kind: "step", key: "a", value: 7 })).toEqual({ verdict: "committed" });
    expect(world.step("p", "a")).toMatchObject({ value: 7 });
    world.fail("p");
    world.pass(10);
    expect(world.running.get("p")).toMatchObject({ attempt: 2, steps: 1 });
  });

  test("sent again with the same id count once", () => {
    const world = new World();
    world.submit("p");
    for (let again = 0; again < 3; again += 1) world.send("p", { kind: "step", key: "a", value: 1 }, 50);
    expect(world.statuses.get("p")?.family?.steps).toBe(1);
  });

  test("of an attempt that is over are stale", () => {
    const world = new World();
    world.submit("p");
    const old = world.running.get("p");
    world.tell({ kind: "report-exit", request: 0, worker: world.worker, boot: "boot-1" as BootId });
    world.connect();
    expect(world.running.get("p")).toMatchObject({ attempt: 2 });
    if (old !== undefined) world.running.set("p", old);
    expect(world.send("p", { kind: "step", key: "a", value: 1 })).toEqual({ verdict: "stale" });
    expect(world.steps.size).toBe(0);
  });

  test("have bounds", () => {
    const world = new World();
    world.submit("p");
    // The bound counts bytes, not characters: "ä" is two bytes.
    for (const value of ["x".repeat(limits.stepsBytesMax), "ä".repeat(limits.stepsBytesMax / 2)])
      expect(world.send("p", { kind: "step", key: "a", value })).toMatchObject({
        verdict: "refused",
        code: "too-large",
      });
    expect(world.statuses.get("p")?.family?.steps ?? 0).toBe(0);
  });
});

describe("children", () => {
  test("run while their parent waits, which goes on when the last of them has ended", () => {
    const world = new World();
    world.submit("p");
    expect(world.children("p", "c", 3)).toEqual({ verdict: "committed" });
    const all = [0, 1, 2].map((index) => world.child("p", "c", index));
    expect([...world.running.keys()].sort()).toEqual([...all, "p"].sort());
    expect(world.running.get(world.child("p", "c", 0))).toMatchObject({ parent: "p" });
    world.suspend("p", { kind: "children", key: "c" });
    expect(world.state("p")).toBe("waiting");
    world.succeed(...all.slice(1));
    expect(world.state("p")).toBe("waiting");
    world.succeed(world.child("p", "c", 0));
    expect(world.state("p")).toBe("running");
    expect(world.running.get("p")).toMatchObject({ attempt: 2, steps: 1 });
    expect(world.step("p", "c")).toMatchObject({ children: { total: 3, succeeded: 3, failed: 0, cancelled: 0 } });
    world.succeed("p");
    expect(world.state("p")).toBe("success");
    expect(world.statuses.get("p")).toMatchObject({ attempt: 2, failures: 0, uncounted: 1, output: { of: "p" } });
  });

  test("that ended before the parent suspended wake it in the same entry", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 1);
    world.succeed(world.child("p", "c", 0));
    world.suspend("p", { kind: "children", key: "c" });
    expect(world.running.get("p")).toMatchObject({ attempt: 2, steps: 1 });
  });

  test("of an empty set are over at once", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 0);
    world.suspend("p", { kind: "children", key: "c" });
    expect(world.step("p", "c")).toMatchObject({ children: { total: 0 } });
    expect(world.state("p")).toBe("running");
  });

  test("come in chunks, repeated or not, and each is made once", () => {
    const world = new World();
    world.submit("p");
    const items = [0, 1, 2, 3, 4].map((index) => ({ ...nap, name: `n${index}` }));
    const before = (index: number) => items.slice(0, index).reduce(foldItem, "");
    const chunk = (first: number, until: number, isLast: boolean) =>
      world.send("p", {
        ...{ kind: "children", key: "c", first, submissions: items.slice(first, until) },
        ...{ before: before(first), isLast, onFailure: "wait" },
      });
    expect(chunk(0, 2, false)).toEqual({ verdict: "committed" });
    expect(chunk(0, 3, false)).toEqual({ verdict: "committed" });
    expect(world.family("p")).toMatchObject({
      sets: [{ key: "c", created: 3, fingerprint: before(3), isSealed: false }],
    });
    expect(chunk(4, 5, true)).toMatchObject({ verdict: "refused", code: "invalid" });
    expect(chunk(3, 5, true)).toEqual({ verdict: "committed" });
    expect(chunk(3, 5, true)).toEqual({ verdict: "committed" });
    expect(world.running.size).toBe(6);
    expect(world.statuses.get("p")?.family?.children).toBe(5);
  });

  test("that differ from those of an earlier attempt are refused, and so are more of a sealed set", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 2, { isLast: false });
    const others = { first: 2, before: foldItem("", nap), submissions: [nap] };
    expect(world.children("p", "c", 0, others)).toMatchObject({ verdict: "refused", code: "conflict" });
    world.children("p", "d", 1);
    expect(world.children("p", "d", 3)).toMatchObject({ verdict: "refused", code: "conflict" });
    expect(world.statuses.get("p")?.family?.children).toBe(3);
  });

  test("with one that is not valid are refused as a whole", () => {
    const world = new World();
    world.submit("p");
    const submissions = [nap, { kind: "sleep", input: { seconds: -1 } }];
    expect(world.children("p", "c", 0, { submissions })).toMatchObject({ verdict: "refused", code: "invalid" });
    expect(world.family("p")).toEqual({ sets: [], sleeps: [] });
    expect([...world.running.keys()]).toEqual(["p"]);
  });

  test("run so many at a time", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 5, { concurrencyMax: 2 });
    const names = () => [...world.running.keys()].filter((id) => id !== "p").sort();
    expect(names()).toEqual([0, 1].map((index) => world.child("p", "c", index)));
    world.succeed(world.child("p", "c", 0));
    expect(names()).toEqual([1, 2].map((index) => world.child("p", "c", index)));
    world.fail(world.child("p", "c", 1));
    // It waits for its back-off and holds its place meanwhile.
    expect(names()).toEqual([2].map((index) => world.child("p", "c", index)));
  });

  test("that fail are counted, and the others run on", () => {
    const world = new World();
    world.submit("p");
    const submissions = [0, 1].map(() => ({ ...nap, attemptsMax: 1 }));
    world.children("p", "c", 0, { submissions });
    world.suspend("p", { kind: "children", key: "c" });
    world.fail(world.child("p", "c", 0));
    expect(world.state("p")).toBe("waiting");
    world.succeed(world.child("p", "c", 1));
    const id = world.child("p", "c", 0);
    expect(world.step("p", "c")).toMatchObject({
      children: {
        ...{ total: 2, succeeded: 1, failed: 1, cancelled: 0 },
        firstFailed: { index: 0, id, error: { code: "exit", message: "it failed" } },
      },
    });
  });

  test("are cancelled when too many of them have failed, if that is wanted", () => {
    const world = new World();
    world.submit("p");
    const submissions = [0, 1, 2, 3].map(() => ({ ...nap, attemptsMax: 1 }));
    world.children("p", "c", 0, { submissions, onFailure: "cancel", failuresMax: 1, concurrencyMax: 3 });
    world.suspend("p", { kind: "children", key: "c" });
    world.fail(world.child("p", "c", 0));
    expect(world.aborted).toEqual([]);
    world.fail(world.child("p", "c", 1));
    expect(world.step("p", "c")).toMatchObject({ children: { total: 4, succeeded: 0, failed: 2, cancelled: 2 } });
    expect(world.state("p")).toBe("running");
  });

  test("have bounds in number and depth", () => {
    const world = new World();
    world.submit("p0");
    let parent = "p0";
    for (let depth = 1; depth < limits.familyDepthMax; depth += 1) {
      expect(world.children(parent, "c", 0, { submissions: [{ kind: "crawl", input: {} }] })).toEqual({
        verdict: "committed",
      });
      parent = world.child(parent, "c", 0);
      expect(parent.length).toBeLessThan(limits.idLengthMax);
    }
    expect(world.children(parent, "c", 1)).toMatchObject({ verdict: "refused", code: "too-large" });
  });
});

describe("a family ends", () => {
  test("only after its children: a cancel reaches all descendants, some in each entry", () => {
    const world = new World(10_000);
    world.submit("p");
    world.children("p", "c", 0, { submissions: [{ kind: "crawl", input: {} }, nap] });
    const middle = world.child("p", "c", 0);
    for (let part = 0; part < 5; part += 1) world.children(middle, `d${part}`, limits.childrenPerItemMax);
    expect(world.running.size).toBe(2503);
    world.tell({ kind: "cancel", request: 0, id: "p" as TaskId });
    expect(world.state("p")).toBe("cancelled");
    expect([...world.statuses.values()].filter(({ state }) => state !== "cancelled")).toEqual([]);
    expect(world.aborted).toHaveLength(2503);
  });

  test("as failed when its parent fails, which fails only then", () => {
    const world = new World();
    world.submit("p", { attemptsMax: 1 });
    world.children("p", "c", 2, { concurrencyMax: 1 });
    world.fail("p");
    expect(world.state("p")).toBe("failed");
    expect(world.statuses.get(world.child("p", "c", 0))?.state).toBe("cancelled");
    expect(world.statuses.get(world.child("p", "c", 1))?.state).toBe("cancelled");
    expect(world.statuses.get("p")?.error).toMatchObject({ code: "exit" });
  });

  test("with success, though nobody waited for its children: those that run come to their end", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 2, { concurrencyMax: 1 });
    world.succeed("p");
    expect(world.state("p")).toBe("waiting, ending as success");
    expect(world.statuses.get(world.child("p", "c", 1))?.state).toBe("cancelled");
    world.fail(world.child("p", "c", 0));
    expect(world.statuses.get(world.child("p", "c", 0))?.state).toBe("cancelled");
    expect(world.state("p")).toBe("success");
    expect(world.statuses.get("p")?.output).toEqual({ of: "p" });
  });

  test("and takes no child that comes late", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 0, { submissions: [{ kind: "crawl", input: {} }] });
    const middle = world.child("p", "c", 0);
    world.succeed("p");
    expect(world.children(middle, "late", 1)).toEqual({ verdict: "stale" });
    world.succeed(middle);
    expect(world.state("p")).toBe("success");
  });
});

describe("a suspended task", () => {
  test("sleeps without a worker, and its sleep does not begin anew", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 1);
    world.suspend("p", { kind: "sleep", key: "s", ms: 1000 }, { kind: "children", key: "c" });
    world.pass(500);
    world.succeed(world.child("p", "c", 0));
    expect(world.family("p")).toEqual({ sets: [], sleeps: [{ key: "s", until: 2000 }] });
    world.suspend("p", { kind: "sleep", key: "s", ms: 1000 });
    world.pass(499);
    expect(world.state("p")).toBe("waiting");
    world.pass(1);
    expect(world.step("p", "s")).toMatchObject({ slept: { at: 2000 } });
    expect(world.state("p")).toBe("running");
  });

  test("that suspends once its family has failed leaves its slot to others, and once only", () => {
    const world = new World(3);
    world.submit("p");
    world.children("p", "a", 2, { onFailure: "cancel" });
    const [first, second] = [world.child("p", "a", 0), world.child("p", "a", 1)];
    world.suspend("p", { kind: "children", key: "a" });
    const error = { code: "non-retryable", message: "it failed" };
    world.tell(
      world.ending(first, { outcome: "failed", error }),
      world.ending(second, { outcome: "suspended", waits: [{ kind: "sleep", key: "s", ms: 1000 }] }),
    );
    expect([first, second, "p"].map((task) => world.state(task))).toEqual(["failed", "cancelled", "running"]);
    expect(world.aborted).toEqual([]);
    const [reply] = world.tell({ kind: "inspect-workers", request: 0 });
    expect(reply).toMatchObject({ workers: [{ running: 1 }] });
    expect(JSON.stringify(reply)).not.toContain("dying");
  });

  test("is cancelled where it waits", () => {
    const world = new World();
    world.submit("p");
    world.suspend("p", { kind: "sleep", key: "s", ms: 1000 });
    world.tell({ kind: "cancel", request: 0, id: "p" as TaskId });
    expect(world.state("p")).toBe("cancelled");
    world.pass(2000);
    expect(world.running.size).toBe(0);
  });
});

test("an independent task is made once and belongs to nobody", () => {
  const world = new World();
  world.submit("p");
  const content = { kind: "submit", key: "s", submission: nap } as const;
  world.send("p", content, 9);
  world.send("p", content, 9);
  const { id } = (world.step("p", "s") as { value: { id: string } }).value;
  expect([...world.running.keys()].sort()).toEqual(["p", id].sort());
  world.succeed("p");
  expect(world.state("p")).toBe("success");
  expect(world.state(id)).toBe("running");
});

test("some failures are final, and some say when to try again", () => {
  const world = new World();
  world.submit("p");
  world.fail("p", "non-retryable");
  expect(world.state("p")).toBe("failed");
  world.submit("q");
  world.end("q", { outcome: "failed", error: { code: "exit", message: "" }, retryAfterMs: 60_000 });
  world.pass(59_999);
  expect(world.state("q")).toBe("retrying");
  world.pass(1);
  expect(world.state("q")).toBe("running");
});

describe("a new leader", () => {
  test("goes on with what waits, what is bounded and what ends", () => {
    const world = new World(10_000);
    world.submit("p");
    world.children("p", "c", 4, { concurrencyMax: 2 });
    world.suspend("p", { kind: "children", key: "c" }, { kind: "sleep", key: "s", ms: 500 });
    world.failOver();
    const child = (index: number) => world.child("p", "c", index);
    expect([...world.running.keys()].sort()).toEqual([child(0), child(1)]);
    world.succeed(child(0));
    world.failOver();
    expect([...world.running.keys()].sort()).toEqual([child(1), child(2)]);
    world.signal("p", "early", "go");
    world.pass(500);
    expect(world.state("p")).toBe("running");
    world.failOver();
    expect(world.family("p")?.sets).toMatchObject([{ key: "c", created: 4, isSealed: true }]);
    world.suspend("p", { kind: "signal", key: "g", name: "go" });
    expect(world.running.get("p")).toMatchObject({ attempt: 3, steps: 2 });
    world.end("p", { outcome: "success", output: { late: true } });
    expect(world.state("p")).toBe("waiting, ending as success");
    world.failOver();
    world.succeed(child(1), child(2));
    expect(world.state("p")).toBe("success");
    expect(world.statuses.get("p")?.output).toEqual({ late: true });
  });

  test("wakes a task whose children had ended under the old one", () => {
    const world = new World();
    world.submit("p");
    world.children("p", "c", 1);
    world.succeed(world.child("p", "c", 0));
    world.failOver();
    world.suspend("p", { kind: "children", key: "c" });
    expect(world.running.get("p")).toMatchObject({ attempt: 2, steps: 1 });
  });

  test("takes a walk up that the old one had begun", () => {
    const world = new World(10_000);
    world.submit("p");
    for (let part = 0; part < 3; part += 1) {
      world.children("p", `c${part}`, limits.childrenPerItemMax);
    }
    world.suspend("p", { kind: "children", key: "c0" });
    world.cancelWithoutWalk("p");
    world.failOver();
    world.pass(1);
    expect(world.state("p")).toBe("cancelled");
    expect([...world.statuses.values()].every(({ state }) => state === "cancelled")).toBe(true);
  });

  test("lets no sleep last longer because the clock of the old one was far ahead", () => {
    const world = new World();
    const dayMs = 86_400_000;
    world.now += dayMs;
    world.connect();
    world.submit("p");
    world.suspend(
      "p",
      { kind: "sleep", key: "s", ms: 1000 },
      { kind: "signal", key: "g", name: "go", timeoutMs: 3000 },
    );
    world.now -= dayMs;
    world.failOver();
    world.pass(1);
    world.pass(999);
    expect(world.state("p")).toBe("waiting");
    world.pass(1);
    // Its second wait goes on while it runs, and is carried over to the leader after that.
    expect(world.running.get("p")).toMatchObject({ attempt: 2, steps: 1 });
    world.suspend("p", { kind: "signal", key: "g", name: "go", timeoutMs: 3000 });
    world.failOver();
    world.pass(2000);
    expect(world.step("p", "g")).toMatchObject({ signal: null });
  });
});
