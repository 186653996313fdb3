/** Jobs of services whose task is over, over the scheduler alone: who stops them, and when a task is created for that. */
import { beforeEach, expect, test } from "vitest";
import { stopId } from "../../model/family.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { runStopped } from "../../model/protocol.ts";
import { toSpec } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { FollowedLeader } from "../../proof/fakes/followedLeader.ts";
import type { AssignedAttempt, SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";

const job = "t" as TaskId;
const openRun = { service: "batch", key: "k1", handle: "h1" };

/** A leader with a follower, and a task whose job runs. */
class World extends FollowedLeader {
  readonly specs: TaskSpec[] = [];
  readonly failures: TaskId[] = [];
  readonly running = new Map<TaskId, AssignedAttempt & { readonly worker: WorkerId }>();
  readonly #sessions = new Map<WorkerId, SessionId>();

  constructor() {
    super();
    this.attach("w1");
    this.begin("k1");
  }

  begin(key: string): void {
    const work = { kind: "remote", input: { service: "batch" }, deadlineMs: 60_000 };
    const spec = toSpec(work, { id: job, fingerprint: null, now: this.now });
    this.tell({ kind: "submit", request: 1, specs: [spec], lookup: null });
    this.step("run 1", { service: "batch", key });
    this.step("handle 1", { ...openRun, key });
  }

  tell(...inputs: SchedulerInput[]): readonly SchedulerEffect[] {
    const { writes, effects } = this.commit(inputs);
    for (const write of writes) {
      if (write.kind === "spec") this.specs.push(write.spec);
      else if (write.kind === "status" && write.status.state === "failed") this.failures.push(write.status.id);
    }
    for (const effect of effects)
      if (effect.kind === "assign")
        for (const attempt of effect.attempts) this.running.set(attempt.task, { ...attempt, worker: effect.worker });
    expect(this.follower.digest).toEqual(this.leader.digest);
    return effects;
  }

  attach(name: string, running: readonly TaskId[] = []): void {
    const worker = name as WorkerId;
    const held = running.flatMap((task) => this.running.get(task) ?? []);
    const attach = attachRequest({
      capacity: 2,
      kinds: ["remote", "remote.stop"],
      labels: ["remote=batch"],
      running: held.map(({ task, attempt, assignedAt }) => ({ task, attempt, assignedAt, startedAt: 0 })),
    });
    for (const effect of this.tell({ kind: "attach", request: 0, worker, attach, host: "h" }))
      if (effect.kind === "reply" && effect.reply.kind === "attached") this.#sessions.set(worker, effect.reply.session);
    this.tell({ kind: "opened", worker, session: this.#sessions.get(worker) ?? ("" as SessionId) });
  }

  #report(item: object): void {
    const { worker, attempt, assignedAt } = this.#attemptOf(job);
    const session = this.#sessions.get(worker) ?? ("" as SessionId);
    const items = [{ task: job, attempt, assignedAt, ...item } as never];
    this.tell({ kind: "report", request: 0, worker, session, items });
  }

  #attemptOf(task: TaskId) {
    const attempt = this.running.get(task);
    if (attempt === undefined) throw new Error(`${task} does not run`);
    return attempt;
  }

  #items = 0;
  step(key: string, run: object | "left" | null): void {
    this.#items += 1;
    this.#report({ kind: "step", key, value: {}, run, id: this.#items });
  }

  end(end: object): void {
    this.#report({ kind: "result", boot: "boot-1" as BootId, startedAt: 0, endedAt: this.now, ...end });
  }

  cancel(): void {
    this.tell({ kind: "cancel", request: 2, id: job });
  }

  lose(worker: string): void {
    this.tell({ kind: "report-exit", request: 0, worker: worker as WorkerId, boot: "boot-1" as BootId });
  }

  failOver(): void {
    this.takeOver();
  }

  get stops(): readonly TaskSpec[] {
    return this.specs.filter(({ kind }) => kind === "remote.stop");
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

test("a task that is cancelled while no worker has it gets a task that stops its job, for any worker that knows the service", () => {
  world.lose("w1");
  world.cancel();
  expect(world.stops).toMatchObject([
    {
      id: stopId("remote.stop", job, world.seq),
      input: openRun,
      requires: ["remote=batch"],
      deadlineMs: defaults.remoteStopDeadlineMs,
    },
  ]);
  world.attach("w2");
  expect(world.running.get(world.stops[0]?.id as TaskId)).toMatchObject({ worker: "w2", attempt: 1 });
});

test("the same at the deadline of the task", () => {
  world.lose("w1");
  world.now += 60_001;
  world.tell();
  expect(world.stops).toMatchObject([{ input: openRun }]);
});

test("the worker that has it stops its job itself", () => {
  world.cancel();
  world.end({ outcome: "aborted", error: { code: runStopped, message: "" } });
  world.lose("w1");
  expect(world.stops).toEqual([]);
});

test("a worker that is lost before it has stopped the job is followed by a task that does", () => {
  world.cancel();
  expect(world.stops).toEqual([]);
  world.lose("w1");
  expect(world.stops).toMatchObject([{ input: openRun }]);
});

test("the next leader knows what a lost worker was still to stop", () => {
  world.cancel();
  world.failOver();
  world.lose("w1");
  expect(world.stops).toMatchObject([{ input: openRun }]);
});

test("a worker that never had the attempt, and cannot say which one it was, is followed by a task that stops the job", () => {
  world.cancel();
  world.end({ outcome: "aborted", assignedAt: 0 });
  expect(world.stops).toMatchObject([{ input: openRun }]);
  world.lose("w1");
  expect(world.stops).toHaveLength(1);
});

test("a worker that does not say that it has stopped the job, or never had it, is followed by a task that does", () => {
  world.cancel();
  world.end({ outcome: "aborted" });
  expect(world.stops).toMatchObject([{ input: openRun }]);
});

test("a worker that still stops the job of a forgotten task is known beside one that stops that of a new task with its id", () => {
  world.cancel();
  world.tell({ kind: "forget", seq: 1_000, tasks: [{ id: job, queue: "default", state: "cancelled" }] });
  world.now += 1;
  world.begin("k2");
  world.cancel();
  world.end({ outcome: "aborted", error: { code: runStopped, message: "" } });
  expect(world.stops).toEqual([]);
  world.failOver();
  world.lose("w1");
  expect(world.stops).toMatchObject([{ input: openRun }]);
});

test("a task that stops a job is not given up by a leader that was started while its clock was days ahead", () => {
  world.lose("w1");
  world.cancel();
  world.now += defaults.remoteStopDeadlineMs + 1;
  world.failOver();
  world.tell();
  world.attach("w2");
  expect(world.running.get(world.stops[0]?.id as TaskId)).toMatchObject({ worker: "w2", attempt: 1 });
});

test("a clock that is set back within five minutes gives up no such task", () => {
  world.lose("w1");
  world.cancel();
  world.now += defaults.remoteStopDeadlineMs + 1;
  world.failOver();
  world.tell({ kind: "clock-lag", lagMs: defaults.remoteStopDeadlineMs });
  world.now += defaults.clockSettleMs;
  world.tell();
  expect(world.failures).toEqual([]);
});

test("a task that stops a job is given up by a leader whose clock has stood, when it says that it wakes up", () => {
  world.lose("w1");
  world.cancel();
  world.now += defaults.remoteStopDeadlineMs + 1;
  world.failOver();
  world.tell();
  expect(world.failures).toEqual([]);
  expect(world.leader.nextWakeAt()).toBe(world.now + defaults.clockSettleMs);
  world.now += defaults.clockSettleMs;
  world.tell();
  expect(world.failures).toEqual([world.stops[0]?.id]);
});

test("the deadline of any other task counts at once", () => {
  world.now += 60_001;
  world.failOver();
  world.tell();
  expect(world.failures).toEqual([job]);
});

test("a job that outlives an attempt that was to stop it is stopped, and the task goes on", () => {
  world.step("end 1", "left");
  expect(world.stops).toMatchObject([{ input: openRun }]);
  world.lose("w1");
  world.cancel();
  expect(world.stops).toHaveLength(1);
});

test("a job that has ended is not stopped", () => {
  world.step("end 1", null);
  world.lose("w1");
  world.cancel();
  expect(world.stops).toEqual([]);
});

test("a task that was created and never ran has no job", () => {
  world.lose("w1");
  const spec = toSpec(
    { kind: "remote", input: { service: "batch" } },
    { id: "t2" as TaskId, fingerprint: null, now: 1 },
  );
  world.tell({ kind: "submit", request: 3, specs: [spec], lookup: null });
  world.tell({ kind: "cancel", request: 4, id: "t2" as TaskId });
  expect(world.stops).toEqual([]);
});
