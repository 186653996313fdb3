/** Who gets which task: only a worker that serves its queue, can run its kind and carries its labels, at a cost that does not grow. */
import { describe, expect, test } from "vitest";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { toSpec } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { QueueView, WorkerRecord } from "../../model/worker.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { Dependencies } from "./dependencies.ts";
import type { SchedulerEffect, SchedulerOutput } from "./effects.ts";
import { Families } from "./families.ts";
import { Lanes } from "./lanes.ts";
import { LiveWorker } from "./liveWorker.ts";
import { Queues } from "./queues.ts";
import { Scheduler } from "./scheduler.ts";
import { Tasks } from "./tasks.ts";
import { Webhooks } from "./webhooks.ts";

function spec(id: string, more: Partial<TaskSpec> & { readonly requires?: readonly string[] } = {}): TaskSpec {
  const { kind = "sleep", queue, requires, priority } = more;
  const submission = {
    kind,
    input: kind === "exec" ? { command: ["true"] } : { seconds: 1 },
    ...(queue !== undefined && { queue }),
    ...(requires !== undefined && { requires }),
    ...(priority !== undefined && { priority }),
  };
  return toSpec(submission, { id: id as TaskId, fingerprint: null, now: 1000 });
}

/** Lanes with tasks in them and workers that are connected. */
class Scene {
  readonly queues = new Queues();
  readonly lanes = new Lanes(this.queues);
  readonly tasks = new Tasks(this.lanes, new Families(), new Dependencies(), new Webhooks());

  add(id: string, more: Parameters<typeof spec>[1] = {}): void {
    const task = this.tasks.add(spec(id, more));
    this.tasks.enqueue(task, 0, 1000);
  }

  worker(id: string, offer: Partial<Pick<WorkerRecord, "queues" | "kinds" | "labels" | "capacity">> = {}): LiveWorker {
    const record: WorkerRecord = {
      ...{ id: id as WorkerId, boot: `boot-${id}` as BootId, capacity: 1, queues: ["default"], isDraining: false },
      ...{ state: "connected", changedAt: 0, hostname: "h", pid: 1, version: "1" },
      ...offer,
    };
    const worker = new LiveWorker(record, this.lanes, 0);
    worker.isOpen = true;
    worker.state = "connected";
    return worker;
  }

  /** Assigns for as long as there is something to assign. @returns `task on worker`, in order */
  assignAll(): string[] {
    const assigned: string[] = [];
    for (let match = this.lanes.next(); match !== undefined; match = this.lanes.next()) {
      const { task, worker } = match;
      this.lanes.dequeue(task);
      task.run = { host: worker.id, boot: worker.boot, assignedAt: 1, startedAt: undefined, isAlone: false };
      worker.hold(task);
      assigned.push(`${task.id} on ${worker.id}`);
    }
    return assigned;
  }
}

describe("a task is given to", () => {
  test("a worker that can run its kind, and to no other", () => {
    const scene = new Scene();
    scene.add("t", { kind: "resize" });
    scene.worker("plain");
    expect(scene.assignAll()).toEqual([]);
    scene.worker("able", { kinds: ["sleep", "resize"] });
    expect(scene.assignAll()).toEqual(["t on able"]);
  });

  test("a worker that carries all its labels, and to no other", () => {
    const scene = new Scene();
    scene.add("t", { requires: ["gpu", "zone=eu"] });
    scene.worker("gpu-only", { labels: ["gpu"] });
    expect(scene.assignAll()).toEqual([]);
    scene.worker("both", { labels: ["fast", "zone=eu", "gpu"] });
    expect(scene.assignAll()).toEqual(["t on both"]);
  });

  test("a worker that attached before there were kinds, if its kind is one of then", () => {
    const scene = new Scene();
    scene.add("old", { kind: "exec" });
    scene.worker("w");
    scene.add("new", { kind: "resize" });
    expect(scene.assignAll()).toEqual(["old on w"]);
  });

  test("the lightest of all workers that can take it, whatever else these can do", () => {
    const scene = new Scene();
    scene.worker("a", { capacity: 4, labels: ["gpu"] });
    scene.worker("b", { capacity: 2 });
    for (const id of ["1", "2", "3"]) scene.add(id);
    expect(scene.assignAll()).toEqual(["1 on a", "2 on b", "3 on a"]);
  });
});

test("a lane that nobody serves steps aside, whatever its priority", () => {
  const scene = new Scene();
  scene.add("stuck", { kind: "resize", priority: 9 });
  scene.add("low");
  scene.add("high", { queue: "other", priority: 1 });
  scene.worker("w", { capacity: 3, queues: ["default", "other"] });
  expect(scene.assignAll()).toEqual(["high on w", "low on w"]);
});

test("a paused queue steps aside until it is resumed", () => {
  const scene = new Scene();
  scene.add("t");
  scene.worker("w");
  const queue = scene.queues.open("default");
  queue.isPaused = true;
  scene.lanes.refresh(queue);
  expect(scene.assignAll()).toEqual([]);
  queue.isPaused = false;
  scene.lanes.refresh(queue);
  expect(scene.assignAll()).toEqual(["t on w"]);
});

test("a worker that drains, is cut off or changes what it offers is judged by what it is now", () => {
  const scene = new Scene();
  const worker = scene.worker("w", { capacity: 9 });
  worker.state = "suspect";
  scene.add("1");
  expect(scene.assignAll()).toEqual([]);
  worker.state = "connected";
  expect(scene.assignAll()).toEqual(["1 on w"]);
  worker.record = { ...worker.record, kinds: ["exec"] };
  scene.add("2");
  expect(scene.assignAll()).toEqual([]);
  worker.record = { ...worker.record, kinds: ["exec", "sleep"], isDraining: true };
  expect(scene.assignAll()).toEqual([]);
  worker.record = { ...worker.record, isDraining: false };
  expect(scene.assignAll()).toEqual(["2 on w"]);
  worker.isOpen = false;
  scene.add("3");
  expect(scene.assignAll()).toEqual([]);
});

test("lanes and queues go with their last task", () => {
  const scheduler = new Scheduler();
  scheduler.activate(1000, 1, 1);
  const out: SchedulerOutput = { seq: 2, writes: [], effects: [] };
  const specs = [spec("a", { queue: "once" }), spec("b", { queue: "kept" })];
  scheduler.step(1000, { kind: "submit", request: 1, specs, lookup: null }, out);
  scheduler.step(1000, { kind: "set-queue", request: 2, name: "kept", settings: { isPaused: true } }, out);
  for (const { id } of specs) scheduler.step(1000, { kind: "cancel", request: 3, id }, out);
  expect(queuesOf(scheduler)).toEqual(["once", "kept"]);
  const tasks = specs.map(({ id, queue }) => ({ id, queue, state: "cancelled" as const }));
  scheduler.step(1000, { kind: "forget", seq: 1_000, tasks }, out);
  expect(queuesOf(scheduler)).toEqual(["kept"]);
  scheduler.step(1000, { kind: "set-queue", request: 4, name: "kept", settings: { isPaused: false } }, out);
  expect(queuesOf(scheduler)).toEqual([]);
});

test("queues that a connected worker serves are shown, though they hold nothing", () => {
  const scheduler = new Scheduler();
  scheduler.activate(1000, 1, 1);
  const out: SchedulerOutput = { seq: 2, writes: [], effects: [] };
  const attach = attachRequest({ queues: ["mail"] });
  scheduler.step(1000, { kind: "attach", request: 1, worker: "w" as WorkerId, attach, host: "h" }, out);
  scheduler.step(1000, { kind: "opened", worker: "w" as WorkerId, session: "1.1" as SessionId }, out);
  expect(queuesOf(scheduler)).toEqual(["mail"]);
});

test("finding the next assignment does not look at idle workers or at the backlog", () => {
  const looks = (idle: number, backlog: number): number => {
    const scene = new Scene();
    for (let index = 0; index < idle; index += 1) scene.worker(`idle-${index}`, { queues: ["quiet"] });
    for (let index = 0; index < backlog; index += 1) scene.add(`stuck-${index}`, { queue: "nobody" });
    scene.worker("w", { capacity: 50 });
    for (let index = 0; index < 50; index += 1) scene.add(`t-${index}`);
    const getter = Object.getOwnPropertyDescriptor(LiveWorker.prototype, "usedSlots");
    const get = getter?.get;
    if (getter === undefined || get === undefined) throw new Error("usedSlots is no getter any more");
    let count = 0;
    Object.defineProperty(LiveWorker.prototype, "usedSlots", {
      ...getter,
      get(this: LiveWorker) {
        count += 1;
        return get.call(this) as number;
      },
    });
    expect(scene.assignAll()).toHaveLength(50);
    Object.defineProperty(LiveWorker.prototype, "usedSlots", getter);
    return count;
  };
  expect(looks(2000, 5000)).toBe(looks(0, 0));
});

test("of each queue it is known which task waits longest of those that are first in their line", () => {
  const scheduler = new Scheduler();
  scheduler.activate(1000, 1, 1);
  const submit = (now: number, id: string, more: Parameters<typeof spec>[1] = {}) => {
    const specs = [{ ...spec(id, more), createdAt: now }];
    scheduler.step(now, { kind: "submit", request: 1, specs, lookup: null }, { seq: 2, writes: [], effects: [] });
  };
  submit(2000, "old", { queue: "mail" });
  submit(3000, "other-kind", { queue: "mail", kind: "exec" });
  submit(4000, "young");
  expect(viewsOf(scheduler).map(({ name, waitsLongest }) => [name, waitsLongest])).toEqual([
    ["mail", { id: "old", since: 2000 }],
    ["default", { id: "young", since: 4000 }],
  ]);
});

function queuesOf(scheduler: Scheduler): string[] {
  return viewsOf(scheduler).map(({ name }) => name);
}

function viewsOf(scheduler: Scheduler): readonly QueueView[] {
  const out: { seq: number; writes: []; effects: SchedulerEffect[] } = { seq: 9, writes: [], effects: [] };
  scheduler.step(1000, { kind: "inspect-queues", request: 1 }, out);
  const [effect] = out.effects;
  return effect?.kind === "reply" && effect.reply.kind === "queues" ? effect.reply.queues : [];
}
