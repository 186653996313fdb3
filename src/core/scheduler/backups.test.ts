/** Backups over the scheduler alone: who gets one and when, whose result counts, and what becomes of the other. */
import { beforeEach, describe, expect, test } from "vitest";
import { backupId, childId, childPrefix } from "../../model/family.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { AttemptContent, ResultItem } from "../../model/protocol.ts";
import { toSpec } from "../../model/submission.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { FollowedLeader } from "../../proof/fakes/followedLeader.ts";
import type { AssignedAttempt, SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";

const parent = "p" as TaskId;
const child = (index: number) => childId(childPrefix(parent, 0, "maps"), index);

/** A leader with a follower, and workers with two slots each. */
class World extends FollowedLeader {
  readonly statuses = new Map<TaskId, TaskStatus>();
  readonly specs = new Map<TaskId, TaskSpec>();
  /** Attempts by task, with the worker that has each. */
  readonly running = new Map<TaskId, AssignedAttempt & { readonly worker: WorkerId }>();
  readonly aborted: string[] = [];
  readonly #sessions = new Map<WorkerId, SessionId>();

  constructor(workers: number) {
    super();
    for (let count = 1; count <= workers; count += 1) this.#attach(`w${count}` as WorkerId);
  }

  #attach(worker: WorkerId): void {
    const held = [...this.running.values()].filter((attempt) => attempt.worker === worker);
    const running = held.map(({ task, attempt, assignedAt }) => ({ task, attempt, assignedAt, startedAt: 0 }));
    const attach = attachRequest({ capacity: 2, kinds: ["crawl"], running });
    for (const effect of this.tell({ kind: "attach", request: 0, worker, attach, host: "h" })) {
      if (effect.kind === "reply" && effect.reply.kind === "attached") this.#sessions.set(worker, effect.reply.session);
    }
    this.tell({ kind: "opened", worker, session: this.#session(worker) });
  }

  #session(worker: WorkerId): SessionId {
    return this.#sessions.get(worker) ?? ("" as SessionId);
  }

  tell(...inputs: SchedulerInput[]): readonly SchedulerEffect[] {
    const { writes, effects } = this.commit(inputs);
    for (const write of writes) {
      if (write.kind === "spec") this.specs.set(write.spec.id, write.spec);
      if (write.kind === "status") this.statuses.set(write.status.id, write.status);
    }
    for (const effect of effects) {
      if (effect.kind === "assign")
        for (const attempt of effect.attempts) this.running.set(attempt.task, { ...attempt, worker: effect.worker });
      if (effect.kind === "abort") for (const { task } of effect.attempts) this.#abort(task, effect.worker);
    }
    expect(this.follower.digest).toEqual(this.leader.digest);
    return effects;
  }

  #abort(task: TaskId, worker: WorkerId): void {
    this.running.delete(task);
    this.aborted.push(`${task} on ${worker}`);
  }

  failOver(): void {
    this.takeOver();
    for (const worker of this.#sessions.keys()) this.#attach(worker);
  }

  /** Time passes as the leader's own alarms divide it. */
  pass(ms: number): void {
    for (const until = this.now + ms; this.now < until; ) {
      const next = this.leader.nextWakeAt() ?? until;
      this.now = Math.min(until, Math.max(next, this.now + 1));
      for (const [worker, session] of this.#sessions) this.tell({ kind: "beat", worker, session });
    }
  }

  item(task: TaskId, content: AttemptContent, id = 1): void {
    const { worker, attempt, assignedAt } = this.#attemptOf(task);
    this.#report(worker, { ...content, task, attempt, assignedAt, id });
  }

  end(task: TaskId, end: Partial<ResultItem> & Pick<ResultItem, "outcome">): void {
    const { worker, attempt, assignedAt } = this.#attemptOf(task);
    this.running.delete(task);
    const times = { startedAt: this.now, endedAt: this.now };
    this.#report(worker, { kind: "result", task, attempt, assignedAt, boot: "boot-1" as BootId, ...times, ...end });
  }

  succeed(task: TaskId): void {
    this.end(task, { outcome: "success", output: `of ${task === backupId(child(0)) ? "the backup" : "itself"}` });
  }

  #report(worker: WorkerId, item: Extract<SchedulerInput, { kind: "report" }>["items"][number]): void {
    this.tell({ kind: "report", request: 0, worker, session: this.#session(worker), items: [item] });
  }

  #attemptOf(task: TaskId) {
    const attempt = this.running.get(task);
    if (attempt === undefined) throw new Error(`${task} does not run`);
    return attempt;
  }

  lose(worker: WorkerId): void {
    for (const [task, attempt] of this.running) if (attempt.worker === worker) this.running.delete(task);
    this.#sessions.delete(worker);
    this.tell({ kind: "report-exit", request: 0, worker, boot: "boot-1" as BootId });
  }

  /** A family of four whose first child is slow: the others took 100 ms each. */
  begin(more: { readonly backups?: true } = { backups: true }, child0: object = {}): void {
    const spec = toSpec({ kind: "crawl", input: {} }, { id: parent, fingerprint: null, now: this.now });
    this.tell({ kind: "submit", request: 1, specs: [spec], lookup: null });
    const submissions = [0, 1, 2, 3].map((index) => ({
      kind: "crawl",
      input: { index },
      attemptsMax: 3,
      ...(index === 0 && child0),
    }));
    const set = { key: "maps", first: 0, submissions, before: "", isLast: true, onFailure: "cancel" } as const;
    this.item(parent, { kind: "children", ...set, ...more });
    this.end(parent, { outcome: "suspended", waits: [{ kind: "children", key: "maps" }] });
    this.pass(100);
    for (const index of [1, 2, 3]) this.succeed(child(index));
  }
}

const slow = child(0);
const backup = backupId(slow);
let world: World;

beforeEach(() => {
  world = new World(3);
});

describe("a backup", () => {
  test("is given to another worker once a child has run for a second, and twice as long as the others did", () => {
    world.begin();
    world.pass(890);
    expect(world.running.has(backup)).toBe(false);
    world.pass(20);
    expect(world.running.get(backup)?.worker).not.toBe(world.running.get(slow)?.worker);
    expect(world.running.get(backup)).toMatchObject({ payloadOf: slow, attempt: 1 });
    expect(world.specs.get(backup)).toMatchObject({ backupOf: slow, kind: "crawl", limits: { attemptsMax: 1 } });
    expect(world.specs.get(backup)?.parent).toBeUndefined();
    expect(world.statuses.get(slow)).toMatchObject({ state: "running", backup: { id: backup } });
  });

  test("is not made where the set does not ask for it, nor where the child says that it is nearly done", () => {
    world.begin({});
    world.pass(5_000);
    expect(world.running.has(backup)).toBe(false);
    world = new World(3);
    world.begin();
    world.item(slow, { kind: "progress", done: 99, total: 100, at: 0 });
    world.pass(2_000);
    expect(world.running.has(backup)).toBe(false);
    // It has stopped there: what it did before promises less and less.
    world.pass(10_000);
    expect(world.running.has(backup)).toBe(true);
  });

  test("is not made of a child with a key, of which only so many may run", () => {
    world.begin({ backups: true }, { concurrencyKey: "one" });
    world.pass(5_000);
    expect(world.running.has(backup)).toBe(false);
  });

  test("is not made while a quarter of the children has not ended, or one waits", () => {
    const busy = new World(1);
    busy.begin();
    busy.pass(5_000);
    expect(busy.running.has(backup)).toBe(false);
  });

  test("that is first gives the task its result, in the same entry, and the task is ended on its worker", () => {
    world.begin();
    world.pass(1_000);
    const host = world.running.get(slow)?.worker;
    world.succeed(backup);
    expect(world.statuses.get(slow)).toMatchObject({
      state: "success",
      output: "of the backup",
      failures: 0,
      kills: 0,
      backup: { id: backup, isWinner: true },
    });
    expect(world.aborted).toEqual([`${slow} on ${host}`]);
    // The parent goes on, with what the set came to.
    expect(world.running.has(parent)).toBe(true);
  });

  test("that is second is ended, and counts nowhere", () => {
    world.begin();
    world.pass(1_000);
    const host = world.running.get(backup)?.worker;
    world.succeed(slow);
    expect(world.statuses.get(slow)).toMatchObject({ state: "success", output: "of itself", backup: { id: backup } });
    expect(world.statuses.get(backup)?.state).toBe("cancelled");
    expect(world.aborted).toEqual([`${backup} on ${host}`]);
    expect(world.running.has(parent)).toBe(true);
  });

  test("that fails, or loses its worker, is nobody's failure, and there is no second one", () => {
    world.begin();
    world.pass(1_000);
    world.end(backup, { outcome: "failed", error: { code: "exit", message: "no" } });
    expect(world.statuses.get(backup)?.state).toBe("failed");
    world.pass(5_000);
    expect(world.running.has(backup)).toBe(false);
    expect(world.statuses.get(slow)).toMatchObject({ state: "running", failures: 0 });
    world.succeed(slow);
    expect(world.statuses.get(slow)?.output).toBe("of itself");
  });

  test("helps also when the task has lost its worker meanwhile, or waits for its next attempt", () => {
    world.begin();
    world.pass(1_000);
    world.end(slow, { outcome: "failed", error: { code: "exit", message: "no" } });
    expect(world.statuses.get(slow)?.state).toBe("retrying");
    world.succeed(backup);
    expect(world.statuses.get(slow)).toMatchObject({ state: "success", failures: 1, output: "of the backup" });
    world.pass(60_000);
    expect(world.running.has(slow)).toBe(false);
  });

  test("ends with its task when that is cancelled, or when its worker is lost", () => {
    world.begin();
    world.pass(1_000);
    world.tell({ kind: "cancel", request: 0, id: parent });
    expect(world.statuses.get(backup)?.state).toBe("cancelled");
    expect(world.running.size).toBe(0);
    world = new World(3);
    world.begin();
    world.pass(1_000);
    world.lose(world.running.get(backup)?.worker ?? ("" as WorkerId));
    expect(world.statuses.get(backup)).toMatchObject({ state: "failed", error: { code: "kills-used-up" } });
    expect(world.statuses.get(slow)).toMatchObject({ state: "running", kills: 0 });
  });

  test("is known to the next leader, which goes by what the last one had timed", () => {
    world.begin();
    world.failOver();
    world.pass(1_000);
    expect(world.running.has(backup)).toBe(true);
    world.failOver();
    world.pass(3_000);
    world.succeed(backup);
    expect(world.statuses.get(slow)).toMatchObject({ state: "success", output: "of the backup" });
  });

  test("that has ended is never retried: its task is", () => {
    world.begin();
    world.pass(1_000);
    world.succeed(slow);
    const head = world.specs.get(backup);
    const status = world.statuses.get(backup);
    if (head === undefined || status === undefined) throw new Error("there was no backup");
    const found = { seq: world.seq, ends: new Map(), tasks: [{ head, status }], sets: [] };
    const effects = world.tell({ kind: "retry", request: 7, id: backup, attempt: null, isFromScratch: false, found });
    const message: unknown = expect.stringContaining(`was a backup of ${slow}`);
    expect(effects).toMatchObject([{ kind: "reply", reply: { kind: "refused", code: "conflict", message } }]);
    expect(world.statuses.get(backup)?.state).toBe("cancelled");
    world.failOver();
  });
});
