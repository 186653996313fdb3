/** Many tasks at once: as many as an entry holds, each counted once, whatever else takes tasks away. */
import { describe, expect, test } from "vitest";
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { toSpec } from "../../model/submission.ts";
import type { Reply, SchedulerEffect } from "./effects.ts";
import type { FinishedTask, SchedulerInput } from "./inputs.ts";
import { RecentlyForgotten } from "./recentlyForgotten.ts";
import { Scheduler } from "./scheduler.ts";

const start = 1_800_000_000_000;

class World {
  readonly scheduler = new Scheduler();
  readonly writes: Write[] = [];
  seq = 0;
  /** An entry takes so many writes. */
  room = Number.POSITIVE_INFINITY;

  constructor() {
    this.scheduler.activate(start, 1, 0);
  }

  step(input: SchedulerInput): Reply | undefined {
    this.seq += 1;
    const writes: Write[] = [];
    const effects: SchedulerEffect[] = [];
    const out = { seq: this.seq, writes, effects, isFull: () => writes.length >= this.room };
    this.scheduler.step(start, input, out);
    this.scheduler.step(start, { kind: "tick" }, out);
    this.writes.push(...writes);
    const reply = effects.find((effect) => effect.kind === "reply");
    return reply?.kind === "reply" ? reply.reply : undefined;
  }

  submit(...ids: string[]): void {
    this.submitTo("default", ...ids);
  }

  /** Each belongs to ada. */
  submitTo(queue: string, ...ids: string[]): void {
    const specs = ids.map((id) => ({
      ...toSpec({ kind: "sleep", input: { seconds: 1 }, queue }, { id: id as TaskId, fingerprint: id, now: start }),
      rights: { owner: "user:ada" },
    }));
    this.step({ kind: "submit", request: 1, specs, lookup: { seq: this.seq, found: new Map() } });
  }

  cancel(...ids: string[]): Reply | undefined {
    return this.step({ kind: "cancel-many", request: 2, ids: ids as TaskId[] });
  }

  delete(seq: number, ...ids: string[]): Reply | undefined {
    return this.step({ kind: "delete-many", request: 3, seq, tasks: ids.map((id) => finished(id)) });
  }
}

function finished(id: string, queue = "default"): FinishedTask {
  return { id: id as TaskId, queue, state: "cancelled" };
}

describe("cancelling many", () => {
  test("cancels those that have not ended, and passes over the others", () => {
    const world = new World();
    world.submit("a", "b", "c");
    world.cancel("b");
    expect(world.cancel("a", "b", "none", "c")).toEqual({ kind: "bulk", done: ["a", "c"], seen: 4 });
    expect(world.scheduler.countTasks()).toMatchObject({ cancelled: 3, created: 0 });
  });

  test("stops where the entry is full, and says how far it came", () => {
    const world = new World();
    world.submit("a", "b", "c");
    world.room = 2;
    expect(world.cancel("a", "b", "c")).toEqual({ kind: "bulk", done: ["a", "b"], seen: 2 });
    expect(world.cancel("c")).toEqual({ kind: "bulk", done: ["c"], seen: 1 });
  });
});

describe("deleting many", () => {
  function ended(...ids: string[]): World {
    const world = new World();
    world.submit(...ids);
    world.cancel(...ids);
    return world;
  }

  test("takes finished tasks out of the counts, and leaves what has not ended", () => {
    const world = ended("a", "b");
    world.submit("c");
    expect(world.delete(world.seq, "a", "b", "c")).toEqual({ kind: "bulk", done: ["a", "b"], seen: 3 });
    expect(world.scheduler.countTasks()).toEqual({ created: 1, cancelled: 0 });
    expect(world.writes.filter(({ kind }) => kind === "forget-task")).toHaveLength(2);
  });

  test("does not count a task out twice that was found before it was deleted, nor does retention", () => {
    const world = ended("a", "b", "c");
    const { seq } = world;
    world.delete(seq, "a");
    expect(world.delete(seq, "a", "b")).toEqual({ kind: "bulk", done: ["b"], seen: 2 });
    world.step({ kind: "forget", seq: 1_000, tasks: [finished("a"), finished("b")] });
    expect(world.scheduler.countTasks()).toMatchObject({ cancelled: 1 });
    world.step({ kind: "forget", seq: 1_000, tasks: [finished("c")] });
    expect(world.delete(seq, "c")).toMatchObject({ done: [] });
    expect(world.writes.filter(({ kind }) => kind === "forget-task")).toHaveLength(3);
  });

  test("lets go of the task that has the id of a deleted one", () => {
    const world = ended("a");
    world.delete(world.seq, "a");
    world.submit("a");
    expect(world.delete(world.seq, "a")).toMatchObject({ done: [] });
    world.cancel("a");
    expect(world.delete(world.seq, "a")).toMatchObject({ done: ["a"] });
    world.submit("a");
    world.cancel("a");
    world.step({ kind: "forget", seq: 1_000, tasks: [finished("a")] });
    expect(world.scheduler.countTasks().cancelled ?? 0).toBe(0);
  });

  test("does not let retention take a task that has ended anew since it was found", () => {
    const world = ended("a");
    const { seq } = world;
    world.delete(seq, "a");
    world.submit("a");
    world.cancel("a");
    world.step({ kind: "forget", seq, tasks: [finished("a")] });
    expect(world.scheduler.countTasks()).toMatchObject({ cancelled: 1 });
    world.step({ kind: "forget", seq: world.seq, tasks: [finished("a")] });
    expect(world.scheduler.countTasks().cancelled ?? 0).toBe(0);
  });

  test("asks for another look at the store where this one is from before all that is remembered", () => {
    const world = ended("a");
    world.scheduler.activate(start, 2, 10);
    expect(world.delete(9, "a")).toEqual({ kind: "look-again" });
    expect(world.delete(10, "a")).toMatchObject({ done: ["a"] });
  });
});

describe("rights", () => {
  const bound: Actor = { name: "user:bob", queues: ["own"] };
  const own: Actor = { name: "user:bob", isOwnOnly: true };
  const ada: Actor = { ...own, name: "user:ada" };

  test("what is in queues of others is neither cancelled nor deleted", () => {
    const world = new World();
    world.submitTo("own", "a");
    world.submitTo("foreign", "b");
    const cancel = { kind: "cancel-many", request: 1, ids: ["a", "b"] as TaskId[] } as const;
    expect(world.step({ ...cancel, by: bound })).toEqual({ kind: "bulk", done: ["a"], seen: 2 });
    world.step(cancel);
    const tasks = [finished("a", "own"), finished("b", "foreign")];
    const remove = { kind: "delete-many", request: 2, seq: world.seq, tasks, by: bound } as const;
    expect(world.step(remove)).toEqual({ kind: "bulk", done: ["a"], seen: 2 });
    expect(world.scheduler.countTasks()).toMatchObject({ cancelled: 1 });
  });

  test("who may cancel only his own tasks cancels no others", () => {
    const world = new World();
    world.submit("a");
    const cancel = { kind: "cancel-many", request: 1, ids: ["a"] as TaskId[] } as const;
    expect(world.step({ ...cancel, by: own })).toMatchObject({ done: [] });
    expect(world.step({ ...cancel, by: ada })).toMatchObject({ done: ["a"] });
  });

  test("who has changed how many is written down, unless nothing was changed", () => {
    const world = new World();
    world.submitTo("own", "a", "b");
    const cancel = { kind: "cancel-many", request: 1, ids: ["a", "b"] as TaskId[], by: bound } as const;
    world.step(cancel);
    world.step(cancel);
    const audits = world.writes.flatMap((write) =>
      write.kind === "record" && write.collection === "audit" ? [write.value] : [],
    );
    expect(audits).toEqual([
      { at: start, by: "user:bob", action: "cancel-many", target: "a", count: 2, outcome: "done" },
    ]);
  });
});

test("what was forgotten lately is remembered up to a bound, which moves the horizon", () => {
  const forgotten = new RecentlyForgotten();
  for (let seq = 1; seq <= limits.settledMax + 1; seq += 1) forgotten.add(`t${seq}` as TaskId, seq);
  expect([forgotten.covers(0), forgotten.covers(1)]).toEqual([false, true]);
  expect([forgotten.isGone("t1" as TaskId), forgotten.isGone("t2" as TaskId)]).toEqual([false, true]);
  expect([forgotten.isAfter("t2" as TaskId, 1), forgotten.isAfter("t2" as TaskId, 2)]).toEqual([true, false]);
});
