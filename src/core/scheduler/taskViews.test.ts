/** What people are told of unfinished tasks: why they wait, and the states of their children; by a leader and by a standby. */
import { describe, expect, test } from "vitest";
import type { BootId, TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { QueueSettings } from "../../model/worker.ts";
import { FamilyWorld } from "../../proof/fakes/familyWorld.ts";

function reasonOf(world: FamilyWorld, task: string, scheduler = world.leader) {
  // What a leader counts for all tasks is always what it says of each.
  expect(world.leader.countWaiting(world.now, true)).toEqual(tally(world));
  return world.view(task, scheduler)?.waiting;
}

function tally(world: FamilyWorld): { readonly [reason: string]: number } {
  const counts: { [reason: string]: number } = {};
  for (const id of world.statuses.keys()) {
    const reason = world.view(id)?.waiting?.reason;
    if (reason !== undefined) counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

describe("a task that does not run", () => {
  test("waits for its start time, its back-off, and then for a free slot", () => {
    const world = new FamilyWorld(1);
    world.submit("later", { startAt: 5000 });
    expect(reasonOf(world, "later")).toMatchObject({ reason: "due-later", since: 1000, until: 5000 });
    world.submit("a", { backoffBaseMs: 1000, backoffFactor: 1 });
    world.fail("a");
    expect(reasonOf(world, "a")).toMatchObject({
      reason: "back-off",
      since: 1000,
      until: expect.any(Number) as number,
    });
    world.submit("b");
    world.pass(10_000);
    expect(reasonOf(world, "later")).toMatchObject({ reason: "workers-busy", since: 5000 });
    expect(reasonOf(world, "later")?.detail).toContain("1 of 1 slots");
    expect(reasonOf(world, "b")).toBeUndefined();
    expect(reasonOf(world, "later", world.follower)).toMatchObject({ reason: "next-in-line", since: 5000 });
  });

  test("is told that its queue is paused, or that nobody serves it, runs its kind or carries its labels", () => {
    const world = new FamilyWorld();
    world.tell({ kind: "set-queue", request: 0, name: "default", settings: { isPaused: true } });
    world.submit("a");
    world.submit("b", { queue: "mail" });
    world.submit("c", { kind: "resize" });
    world.submit("d", { requires: ["gpu"] });
    world.submit("e", { kind: "container", input: { image: "alpine" } });
    for (const scheduler of [world.leader, world.follower]) {
      expect(reasonOf(world, "a", scheduler)).toMatchObject({
        reason: "queue-paused",
        detail: "queue default is paused",
        advice: "outlast queues resume default",
      });
      expect(reasonOf(world, "b", scheduler)).toMatchObject({
        reason: "no-worker",
        detail: "no connected worker serves queue mail",
        advice: "outlast worker --queues mail",
      });
    }
    world.tell({ kind: "set-queue", request: 0, name: "default", settings: { isPaused: false } });
    for (const scheduler of [world.leader, world.follower]) {
      const detail = 'no connected worker of queue default runs kind "resize"';
      expect(reasonOf(world, "c", scheduler)).toMatchObject({ reason: "no-able-worker", detail });
      expect(reasonOf(world, "d", scheduler)?.detail).toMatch(/runs kind "crawl" has the label gpu/);
      expect(reasonOf(world, "e", scheduler)).toMatchObject({
        detail: expect.stringMatching(/runs kind "container"$/) as string,
        advice: "outlast worker --container",
      });
    }
  });

  test("is told that the limits of its queue, or its concurrency key, leave no room", () => {
    const world = new FamilyWorld();
    const limit = (settings: QueueSettings) => world.tell({ kind: "set-queue", request: 0, name: "default", settings });
    limit({ concurrencyMax: 1 });
    world.submit("a", { concurrencyKey: "k" });
    world.submit("b", { concurrencyKey: "k" });
    for (const scheduler of [world.leader, world.follower]) {
      const detail = "queue default runs 1 task at a time, and 1 runs";
      expect(reasonOf(world, "b", scheduler)).toMatchObject({ reason: "queue-full", detail });
    }
    limit({ concurrencyMax: null });
    const only = 'only 1 task with the key "k" may run at a time';
    expect(reasonOf(world, "b", world.leader)).toMatchObject({ detail: `${only}: a`, holders: ["a"] });
    expect(reasonOf(world, "b", world.follower)).toEqual({ reason: "key", detail: only, since: expect.any(Number) });
    limit({ rate: { count: 1, perMs: 5000 } });
    world.submit("c");
    world.submit("d");
    for (const scheduler of [world.leader, world.follower]) {
      const detail = "queue default starts at most 1 task in 5 s";
      expect(reasonOf(world, "d", scheduler)).toMatchObject({ reason: "queue-rate", detail, until: 6000 });
    }
  });

  test("is told that its workers take no new tasks", () => {
    const world = new FamilyWorld();
    world.tell({ kind: "drain-worker", request: 0, worker: world.worker });
    world.submit("a");
    expect(reasonOf(world, "a")?.detail).toBe("no worker of queue default takes new tasks: 1 draining");
    world.tell({ kind: "report-exit", request: 0, worker: world.worker, boot: "boot-1" as BootId });
    expect(reasonOf(world, "a")?.reason).toBe("no-worker");
  });

  test("waits longer and then alone, once its workers were lost under it again and again", () => {
    const world = new FamilyWorld();
    world.submit("a");
    const lose = () => {
      world.running.clear();
      world.tell({ kind: "report-exit", request: 0, worker: world.worker, boot: "boot-1" as BootId });
    };
    for (let loss = 0; loss < 3; loss += 1) {
      lose();
      if (loss > 0) expect(reasonOf(world, "a")).toMatchObject({ reason: "back-off" });
      world.connect();
      // The worker is not empty when the suspect task could start.
      if (loss === 2) world.submit("b");
      world.pass(60_000);
    }
    expect([...world.running.keys()]).toEqual(["b"]);
    expect(reasonOf(world, "a")?.reason).toBe("isolation");
    const pause = (isPaused: boolean): void =>
      void world.tell({ kind: "set-queue", request: 0, name: "default", settings: { isPaused } });
    pause(true);
    expect(reasonOf(world, "a")?.reason).toBe("queue-paused");
    pause(false);
    expect(reasonOf(world, "a")?.reason).toBe("isolation");
    world.tell({ kind: "drain-worker", request: 0, worker: world.worker });
    expect(reasonOf(world, "a")?.reason).toBe("workers-away");
  });

  test("waits as any other does where more tasks lose their workers again and again than may run alone", () => {
    const world = new FamilyWorld(2);
    world.submit("a");
    world.submit("b");
    for (let loss = 0; loss < 3; loss += 1) {
      world.running.clear();
      world.tell({ kind: "report-exit", request: 0, worker: world.worker, boot: "boot-1" as BootId });
      world.connect();
      if (loss === 2) world.submit("c");
      world.pass(60_000);
    }
    const waiting = ["a", "b"].filter((id) => !world.running.has(id));
    expect(waiting.map((id) => reasonOf(world, id)?.reason)).toContain("isolation");
  });

  test("is told that no master leads, unless it waits for something of its own", () => {
    const world = new FamilyWorld(1);
    world.submit("a");
    world.submit("b");
    world.submit("c", { startAt: 9000 });
    const waitings = ["b", "c"].map((id) => {
      const status = world.statuses.get(id) as TaskDocument;
      return world.follower.addViews([status], world.now, false)[0]?.waiting?.reason;
    });
    expect(waitings).toEqual(["no-leader", "due-later"]);
  });

  test("waits for what its handler waits for, for its descendants, or for its siblings", () => {
    const world = new FamilyWorld();
    world.submit("p");
    world.children("p", "c", 3, { concurrencyMax: 1 });
    const last = world.child("p", "c", 2);
    expect(reasonOf(world, last)).toMatchObject({ reason: "siblings" });
    world.suspend("p", { kind: "children", key: "c" }, { kind: "sleep", key: "s", ms: 500 });
    for (const scheduler of [world.leader, world.follower]) {
      const detail = 'waits for the children of "c" or the end of its sleep';
      expect(reasonOf(world, "p", scheduler)).toEqual({ reason: "children", since: 1000, detail, until: 1500 });
    }
    world.pass(600);
    world.suspend("p", { kind: "signal", key: "g", name: "go" });
    expect(reasonOf(world, "p")).toEqual({ reason: "signal", since: 1600, detail: 'waits for the signal "go"' });
    world.signal("p", "1", "go");
    // A success lets the child that runs come to its end.
    world.succeed("p");
    expect(reasonOf(world, "p")).toMatchObject({ reason: "descendants" });
  });

  test("is told nothing where the document is of another moment than the memory", () => {
    const world = new FamilyWorld();
    world.submit("a", { startAt: 9000 });
    const old = world.statuses.get("a") as TaskDocument;
    world.tell({ kind: "cancel", request: 0, id: "a" as TaskId });
    expect(world.leader.addViews([old], world.now, true)[0]?.waiting).toBeUndefined();
  });
});

test("tasks that wait are counted by reason, by the next leader too, and by nobody who only follows", () => {
  const world = new FamilyWorld(1);
  world.submit("a", { concurrencyKey: "k" });
  world.submit("b", { concurrencyKey: "k" });
  world.submit("c", { startAt: 9000 });
  world.submit("d", { after: ["c"] as TaskId[] });
  world.submit("e", { queue: "mail" });
  world.submit("f", { queue: "mail", concurrencyKey: "k" });
  const expected = { "workers-busy": 1, "due-later": 1, blocked: 1, "no-worker": 2 };
  expect(world.leader.countWaiting(world.now, true)).toEqual(expected);
  expect(tally(world)).toEqual(expected);
  expect(world.leader.countWaiting(world.now, true, ["mail"])).toEqual({ "no-worker": 2 });
  expect(world.leader.countWaiting(world.now, true, ["default", "other"])).toEqual({ "workers-busy": 1, blocked: 1 });
  expect(world.leader.countWaiting(world.now, true, [])).toEqual({});
  expect(world.leader.oldestReadyAt(["other"])).toBe(null);
  expect(world.leader.oldestReadyAt(["mail"])).toBe(world.leader.oldestReadyAt());
  expect(world.follower.countWaiting(world.now, true)).toEqual({});
  world.failOver();
  expect(world.leader.countWaiting(world.now, true)).toEqual(tally(world));
  world.tell({ kind: "cancel", request: 0, id: "a" as TaskId });
  world.tell({ kind: "cancel", request: 0, id: "f" as TaskId });
  expect(world.leader.countWaiting(world.now, true)).toEqual(tally(world));
});

describe("children", () => {
  test("are counted by state, over all sets, also by the next leader and when all has ended", () => {
    const world = new FamilyWorld();
    world.submit("p");
    world.children("p", "a", 3);
    world.succeed(world.child("p", "a", 0));
    for (const scheduler of [world.leader, world.follower])
      expect(world.view("p", scheduler)?.childCounts).toEqual({ running: 2, success: 1 });
    world.fail(world.child("p", "a", 1));
    expect(world.view("p")?.childCounts).toEqual({ running: 1, success: 1, retrying: 1 });
    world.tell({ kind: "cancel", request: 0, id: world.child("p", "a", 1) as TaskId });
    world.succeed(world.child("p", "a", 2));
    world.suspend("p", { kind: "children", key: "a" });
    world.children("p", "b", 2);
    const counts = { success: 2, cancelled: 1, running: 2 };
    expect(world.view("p")?.childCounts).toEqual(counts);
    world.failOver();
    expect(world.view("p")?.childCounts).toEqual(counts);
    // It ends with a set that it has not taken notice of.
    world.succeed(world.child("p", "b", 0), world.child("p", "b", 1));
    world.succeed("p");
    for (const scheduler of [world.leader, world.follower])
      expect(world.view("p", scheduler)?.childCounts).toEqual({ success: 4, cancelled: 1 });
    expect(world.statuses.get("p")?.family).toMatchObject({ ended: { succeeded: 4, failed: 0, cancelled: 1 } });
  });

  test("there are none to count of a task without any", () => {
    const world = new FamilyWorld();
    world.submit("p");
    expect(world.view("p")).not.toHaveProperty("childCounts");
  });
});
