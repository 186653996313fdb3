/** What becomes known of a process that went on after its attempt was given up. */
import { expect, test } from "vitest";
import type { BootId, TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { ResultItem } from "../../model/protocol.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { FamilyWorld } from "../../proof/fakes/familyWorld.ts";
import type { AssignedAttempt } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";

/** A world in which results of attempts come that the leader has given up. */
class LateWorld extends FamilyWorld {
  runningOf(task: string): AssignedAttempt {
    const attempt = this.running.get(task);
    if (attempt === undefined) throw new Error(`${task} does not run`);
    return attempt;
  }

  /** The worker reports this attempt in its present session. */
  late({ task, attempt, assignedAt }: AssignedAttempt, end: Partial<ResultItem> = {}): void {
    const issued = { task, attempt, assignedAt };
    const now = this.running.get(task);
    this.running.set(task, { ...issued, timeoutMs: null });
    const { items, ...input } = this.ending(task, { outcome: "aborted", ...end }) as Extract<
      SchedulerInput,
      { kind: "report" }
    >;
    if (now !== undefined) this.running.set(task, now);
    this.tell({ ...input, items });
  }

  /** It is given up for lost, and comes back as the same boot with what it runs and what waits in its outbox. */
  loseAndReturn(outbox: readonly (AssignedAttempt & { readonly endedAt?: number })[] = []): void {
    this.tell({ kind: "report-exit", request: 0, worker: this.worker, boot: "boot-1" as BootId });
    this.now += 60_000;
    const waiting = outbox.map(({ task, attempt, assignedAt, endedAt }) => ({
      ...{ task, attempt, assignedAt },
      ...(endedAt !== undefined && { endedAt }),
    }));
    this.running.clear();
    const attach = attachRequest({ capacity: 10, kinds: ["crawl"], queues: ["default"], outbox: waiting });
    const [reply] = this.tell({ kind: "attach", request: 0, worker: this.worker, attach, host: "h" });
    if (reply?.kind !== "attached") throw new Error("not attached");
    this.tell({ kind: "opened", worker: this.worker, session: reply.session });
  }

  /** Of each recorded attempt its outcome, when it ended and when its process did. */
  ends(task: string): (string | number | undefined)[][] {
    return [...this.attempts]
      .filter(([id]) => id.startsWith(`${task}/`))
      .map(([, { outcome, endedAt, processEndedAt }]) => [outcome, endedAt, processEndedAt]);
  }
}

test("a task that is cancelled while it runs has a record, which says when its process ended", () => {
  const world = new LateWorld();
  world.submit("p");
  const attempt = world.runningOf("p");
  world.cancel("p");
  expect(world.ends("p")).toEqual([["cancelled", 1000, undefined]]);
  expect(world.attemptsOf("p")).toBe("1 cancelled");
  world.now += 700;
  world.late(attempt);
  expect(world.ends("p")).toEqual([["cancelled", 1000, 1700]]);
  expect([...world.attempts.values()][0]).toMatchObject({ worker: "w", error: { code: "cancelled" } });
});

test("an attempt that outlasts its time-out is recorded before the next one, and completed beside it", () => {
  const world = new LateWorld();
  world.submit("p", { timeoutMs: 1000, backoffBaseMs: 0 });
  const attempt = world.runningOf("p");
  world.pass(60_000);
  world.pass(1);
  expect(world.attemptsOf("p")).toBe("1 failed, 2 running");
  world.now += 500;
  world.late(attempt, { outcome: "success" });
  const [[outcome, endedAt, processEndedAt] = []] = world.ends("p");
  expect([outcome, processEndedAt]).toEqual(["failed", world.now]);
  expect(endedAt).toBeLessThan(world.now);
  expect(world.state("p")).toBe("running");
});

test("what a lost worker ran ends beside the next attempt, also if it ended while nobody heard of the worker", () => {
  const world = new LateWorld();
  world.submit("p");
  const first = world.runningOf("p");
  world.loseAndReturn([{ ...first, endedAt: 21_000 }]);
  world.pass(1);
  expect(world.attemptsOf("p")).toBe("1 killed, 2 running");
  expect(world.ends("p")).toEqual([["killed", 1000, 21_000]]);
});

test("the end of a process that is heard of before the next attempt begins goes into its record", () => {
  const world = new LateWorld();
  world.submit("p");
  const first = world.runningOf("p");
  world.submit("q", { requires: ["gpu"] });
  world.tell({ kind: "cancel", request: 0, id: "q" as TaskId });
  world.tell({ kind: "drain-worker", request: 0, worker: world.worker });
  world.loseAndReturn([{ ...first, endedAt: 5000 }]);
  world.tell({ kind: "cancel", request: 0, id: "p" as TaskId });
  expect(world.ends("p")[0]).toEqual(["killed", 1000, 5000]);
});

test("a task whose kills are used up has a record, which is completed", () => {
  const world = new LateWorld();
  world.submit("p", { killsMax: 0 });
  const first = world.runningOf("p");
  world.loseAndReturn([{ ...first, endedAt: 9000 }]);
  expect(world.state("p")).toBe("failed");
  expect(world.ends("p")).toEqual([["killed", 1000, 9000]]);
});

test("an older worker does not say when what waits in its outbox ended: nothing is known then", () => {
  const world = new LateWorld();
  world.submit("p", { killsMax: 0 });
  world.loseAndReturn([world.runningOf("p")]);
  expect(world.ends("p")).toEqual([["killed", 1000, undefined]]);
});

test("the next leader learns of the end as well", () => {
  const world = new LateWorld();
  world.submit("p");
  const attempt = world.runningOf("p");
  world.cancel("p");
  world.failOver();
  world.now += 300;
  world.late(attempt);
  expect(world.ends("p")).toEqual([["cancelled", 1000, 1300]]);
});

test("an attempt that its worker never began has no process that could end", () => {
  const world = new LateWorld();
  world.submit("p");
  const attempt = world.runningOf("p");
  world.cancel("p");
  world.late(attempt, { error: { code: "machine", message: "Its worker handed it back before it had begun." } });
  expect(world.ends("p")).toEqual([["cancelled", 1000, undefined]]);
});

test("the attempt that runs is not touched by a report of an earlier boot", () => {
  const world = new LateWorld();
  world.submit("p");
  world.late(world.runningOf("p"), { boot: "boot-0" as BootId });
  expect(world.state("p")).toBe("running");
  world.succeed("p");
  expect([world.attempts.size, world.attemptsOf("p")]).toEqual([0, "1 success"]);
});

test("no record comes back that went with its task, or to make room", () => {
  const world = new LateWorld();
  world.submit("p");
  const { task } = world.runningOf("p");
  world.cancel("p");
  const [record] = [...world.attempts.values()];
  if (record === undefined) throw new Error("It has no record.");
  const { seq } = world;
  world.tell({ kind: "forget", seq: 1_000, tasks: [{ id: task, queue: "default", state: "cancelled" }] });
  world.attempts.clear();
  world.tell({ kind: "process-ended", task, seq, record });
  expect(world.attempts.size).toBe(0);
  world.submit("r");
  for (let attempt = 1; attempt <= limits.attemptRecordsMax + 1; attempt += 1) {
    world.suspend("r", { kind: "sleep", key: `s${attempt}`, ms: 1 });
    world.pass(2);
  }
  const count = world.attempts.size;
  world.tell({ kind: "process-ended", task: "r" as TaskId, seq: world.seq, record: { ...record, attempt: 1 } });
  world.tell({ kind: "process-ended", task: "r" as TaskId, seq: world.seq, record: { ...record, attempt: 2 } });
  expect(world.attempts.has("r/000000001")).toBe(false);
  expect(world.attempts.size).toBe(count);
});
