/** What stays known of attempts: by the status of their task as long as it tells of them, by a record from then on. */
import { expect, test } from "vitest";
import { attempts } from "../../model/collections/attempts.ts";
import type { BootId, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { FamilyWorld } from "../../proof/fakes/familyWorld.ts";

test("a task that runs once has no record: its status tells of its attempt", () => {
  const world = new FamilyWorld();
  world.submit("p");
  expect(world.attemptsOf("p")).toBe("1 running");
  world.succeed("p");
  expect(world.attemptsOf("p")).toBe("1 success");
  expect(world.attempts.size).toBe(0);
});

test("the next attempt puts the one before on record, however it ended", () => {
  const world = new FamilyWorld();
  world.submit("p", { backoffBaseMs: 1000 });
  world.fail("p");
  expect(world.attemptsOf("p")).toBe("1 failed");
  world.pass(2000);
  expect(world.attemptsOf("p")).toBe("1 failed, 2 running");
  world.tell({ kind: "report-exit", request: 0, worker: world.worker, boot: "boot-1" as BootId });
  world.running.clear();
  expect(world.attemptsOf("p")).toBe("1 failed, 2 killed");
  world.connect();
  world.suspend("p", { kind: "sleep", key: "s", ms: 100 });
  expect(world.attemptsOf("p")).toBe("1 failed, 2 killed, 3 suspended");
  world.pass(200);
  world.end("p", { outcome: "aborted", error: { code: "unsupported", message: "no such kind" } });
  expect(world.attemptsOf("p")).toBe("1 failed, 2 killed, 3 suspended, 4 aborted");
  const [first] = world.attempts.values();
  expect(first).toMatchObject({ attempt: 1, worker: "w", outcome: "failed", error: { code: "exit" } });
  expect(first).toMatchObject({ assignedAt: 1000, startedAt: 1000, endedAt: 1000 });
});

test("a cancel between two attempts leaves the last one as it ended, and is none itself", () => {
  const world = new FamilyWorld();
  world.submit("p", { backoffBaseMs: 60_000 });
  world.fail("p");
  world.tell({ kind: "cancel", request: 0, id: "p" as TaskId });
  expect(world.state("p")).toBe("cancelled");
  expect(world.attemptsOf("p")).toBe("1 failed");
  world.submit("q");
  world.tell({ kind: "cancel", request: 0, id: "q" as TaskId });
  expect(world.attemptsOf("q")).toBe("1 cancelled");
});

test("a suspended parent that is cancelled while children run keeps how its attempt ended", () => {
  const world = new FamilyWorld();
  world.submit("p");
  world.children("p", "c", 1);
  world.suspend("p", { kind: "children", key: "c" });
  world.cancelWithoutWalk("p");
  expect(world.attemptsOf("p")).toBe("1 suspended");
  world.failOver();
  world.tell();
  expect(world.state("p")).toBe("cancelled");
  expect(world.attemptsOf("p")).toBe("1 suspended");
});

test("the next leader records what the one before has seen", () => {
  const world = new FamilyWorld();
  world.submit("p", { backoffBaseMs: 1000, attemptsMax: 3 });
  world.fail("p");
  world.failOver();
  world.pass(2000);
  expect(world.attemptsOf("p")).toBe("1 failed, 2 running");
  expect([...world.attempts.values()][0]).toMatchObject({ error: { code: "exit" }, endedAt: 1000 });
});

test("there are no more records than a task may have, and the latest stay", () => {
  const world = new FamilyWorld();
  world.submit("p");
  const count = limits.attemptRecordsMax + 5;
  for (let attempt = 1; attempt <= count; attempt += 1) {
    world.suspend("p", { kind: "sleep", key: `s${attempt}`, ms: 1 });
    world.pass(2);
  }
  const numbers = [...world.attempts.values()].map(({ attempt }) => attempt);
  expect(numbers.length).toBe(limits.attemptRecordsMax);
  expect([numbers[0], numbers.at(-1)]).toEqual([count - limits.attemptRecordsMax + 1, count]);
});

test("of an error's message the beginning is kept", () => {
  const world = new FamilyWorld();
  world.submit("p", { backoffBaseMs: 0 });
  world.end("p", { outcome: "failed", error: { code: "error", message: "x".repeat(4000) } });
  world.pass(10);
  expect([...world.attempts.values()][0]?.error?.message.length).toBe(limits.attemptMessageLengthMax);
});

test("a worker that hands a kind back is not given it again; one whose task fails by the same code is", () => {
  const unsupported = { code: "unsupported", message: "no files here" };
  const world = new FamilyWorld();
  world.submit("p", { attemptsMax: 1 });
  world.end("p", { outcome: "failed", error: unsupported });
  expect(world.state("p")).toBe("failed");
  world.submit("q");
  expect(world.state("q")).toBe("running");
  world.end("q", { outcome: "aborted", error: unsupported });
  world.submit("r");
  expect(world.state("r")).toBe("created");
});

test("a record is refused that says no time at which its process ended", () => {
  const record = { attempt: 1, worker: "w", assignedAt: 1, endedAt: 2, outcome: "killed" };
  expect(attempts.problemOf("t/1", { ...record, processEndedAt: 3 })).toBeNull();
  expect(attempts.problemOf("t/1", record)).toBeNull();
  expect(attempts.problemOf("t/1", { ...record, processEndedAt: "late" })).toContain("process");
});
