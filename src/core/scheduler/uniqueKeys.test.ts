/** Unique keys: one unfinished task that counts for each, and what becomes of others. */
import { describe, expect, test } from "vitest";
import type { Write } from "../../model/entry.ts";
import type { SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { ResultItem } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import { toSpec } from "../../model/submission.ts";
import type { TaskDocument, TaskSpec } from "../../model/task.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import type { Reply, SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { Scheduler } from "./scheduler.ts";

const start = 1_800_000_000_000;
const worker = "w1" as WorkerId;

/** A leader with one worker, and a follower that applies its entries. */
class World {
  scheduler = new Scheduler();
  follower = new Scheduler();
  readonly writes: Write[] = [];
  assigned: string[] = [];
  #seq = 0;
  #session: SessionId | null = null;

  constructor() {
    this.scheduler.activate(start, 1, 0);
  }

  step(input: SchedulerInput): Reply | undefined {
    this.#seq += 1;
    const writes: Write[] = [];
    const effects: SchedulerEffect[] = [];
    const out = { seq: this.#seq, writes, effects };
    this.scheduler.step(start, input, out);
    this.scheduler.step(start, { kind: "tick" }, out);
    for (const write of writes) this.follower.apply(write, start);
    this.writes.push(...writes);
    for (const effect of effects)
      if (effect.kind === "assign") this.assigned.push(...effect.attempts.map(({ task }) => task));
    const reply = effects.find((effect) => effect.kind === "reply");
    return reply?.kind === "reply" ? reply.reply : undefined;
  }

  submit(wishes: { readonly [id: string]: Partial<Submission> & Partial<Pick<TaskSpec, "rights">> }, by?: Actor) {
    const specs = Object.entries(wishes).map(([id, { rights, ...wish }]) => ({
      ...toSpec(
        { kind: "sleep", input: { seconds: 1 }, uniqueKey: "k", ...wish },
        { id: id as TaskId, fingerprint: null, now: start },
      ),
      ...(rights !== undefined && { rights }),
    }));
    return this.step({ kind: "submit", request: 1, specs, lookup: null, ...(by !== undefined && { by }) });
  }

  attach(): void {
    const reply = this.step({
      kind: "attach",
      request: 2,
      worker,
      attach: { ...attachRequest(), capacity: 5 },
      host: "h",
    });
    if (reply?.kind !== "attached") throw new Error("not attached");
    this.#session = reply.session;
    this.step({ kind: "opened", worker, session: reply.session });
  }

  /** The worker reports that a process has ended. */
  aborted(id: string): void {
    if (this.#session === null) throw new Error("No worker is there.");
    const times = { assignedAt: start, startedAt: start, endedAt: start };
    const { boot } = attachRequest();
    const item: ResultItem = { kind: "result", task: id as TaskId, attempt: 1, boot, outcome: "aborted", ...times };
    this.step({ kind: "report", request: 3, worker, session: this.#session, items: [item] });
  }

  state(id: string): string | undefined {
    return this.writes
      .flatMap((write) => (write.kind === "status" && write.status.id === id ? write.status.state : []))
      .at(-1);
  }

  /** Another master takes over with what the journal says. */
  takeOver(): void {
    expect(this.follower.digest).toEqual(this.scheduler.digest);
    this.scheduler = this.follower;
    this.follower = new Scheduler();
    for (const write of this.writes) this.follower.apply(write, start);
    for (const effect of this.scheduler.activate(start, 2, this.#seq))
      if (effect.kind === "assign") this.assigned.push(...effect.attempts.map(({ task }) => task));
  }
}

describe("while a task with the key has not ended", () => {
  test("it is answered, if nothing else is asked for, and no other one is created", () => {
    const world = new World();
    world.submit({ a: {} });
    expect(world.submit({ b: {} })).toEqual({
      kind: "submitted",
      tasks: [{ id: "a", isNew: false, isExisting: true }],
    });
    expect(world.scheduler.countTasks()).toEqual({ created: 1 });
  });

  test("the whole request is refused that asks for that, and names it", () => {
    const world = new World();
    world.submit({ a: {} });
    expect(world.submit({ other: { uniqueKey: "x" }, b: { onConflict: "refuse" } })).toMatchObject({
      ...{ kind: "refused", code: "conflict" },
      details: { id: "a" },
    });
    expect(world.scheduler.countTasks()).toEqual({ created: 1 });
  });

  test("it is cancelled and replaced where that is asked for", () => {
    const world = new World();
    world.submit({ a: {} });
    expect(world.submit({ b: { onConflict: "replace" } })).toEqual({
      kind: "submitted",
      tasks: [{ id: "b", isNew: true, replaced: "a" }],
    });
    expect([world.state("a"), world.state("b")]).toEqual(["cancelled", "created"]);
  });

  test("the key of another queue, or another key, is no conflict", () => {
    const world = new World();
    world.submit({ a: {} });
    const more = { b: { queue: "q" }, c: { uniqueKey: "l" } };
    expect(world.submit(more)).toMatchObject({
      tasks: [
        { id: "b", isNew: true },
        { id: "c", isNew: true },
      ],
    });
  });

  test("a repeat of its own submission finds it, whatever it asks for", () => {
    const world = new World();
    const spec = {
      ...toSpec(
        { kind: "sleep", input: { seconds: 1 }, uniqueKey: "k", onConflict: "replace" },
        { id: "a" as TaskId, fingerprint: "f", now: start },
      ),
    };
    const submit = { kind: "submit", request: 1, specs: [spec], lookup: { seq: 9, found: new Map() } } as const;
    world.step(submit);
    expect(world.step(submit)).toEqual({ kind: "submitted", tasks: [{ id: "a", isNew: false }] });
  });
});

test("the key is free when its task has ended", () => {
  const world = new World();
  world.submit({ a: {} });
  world.step({ kind: "cancel", request: 1, id: "a" as TaskId });
  expect(world.submit({ b: { onConflict: "refuse" } })).toMatchObject({ tasks: [{ id: "b", isNew: true }] });
});

test("two of one request are one task, or are refused", () => {
  const world = new World();
  expect(world.submit({ a: {}, b: {} })).toMatchObject({
    tasks: [
      { id: "a", isNew: true },
      { id: "a", isExisting: true },
    ],
  });
  for (const onConflict of ["refuse", "replace"] as const)
    expect(world.submit({ c: { uniqueKey: "x" }, d: { uniqueKey: "x", onConflict } })).toMatchObject({
      ...{ kind: "refused", code: "conflict" },
    });
});

describe("a replaced task whose process still ends", () => {
  test("keeps the new one from starting until its worker reports the end", () => {
    const world = new World();
    world.attach();
    world.submit({ a: {} });
    world.submit({ b: { onConflict: "replace" }, c: { uniqueKey: "other" } });
    expect(world.assigned).toEqual(["a", "c"]);
    world.aborted("a");
    expect(world.assigned).toEqual(["a", "c", "b"]);
  });

  test("does so under the next leader, too", () => {
    const world = new World();
    world.attach();
    world.submit({ a: {} });
    world.submit({ b: { onConflict: "replace" } });
    world.takeOver();
    world.step({ kind: "tick" });
    expect(world.assigned).toEqual(["a"]);
    const [document] = world.scheduler.addViews(
      [{ id: "b", changedAt: start, state: "created", attempt: 0 } as TaskDocument],
      start,
      true,
    );
    expect(document?.waiting).toMatchObject({ reason: "unique-key" });
  });

  test("is waited for also where it was cancelled by somebody, and its key was free", () => {
    const world = new World();
    world.attach();
    world.submit({ a: {} });
    world.step({ kind: "cancel", request: 1, id: "a" as TaskId });
    world.submit({ b: {} });
    expect(world.assigned).toEqual(["a"]);
    world.aborted("a");
    expect(world.assigned).toEqual(["a", "b"]);
  });
});

describe("rights", () => {
  const ada: Actor = { name: "user:ada", isOwnOnly: true };

  test("who may cancel only his own tasks replaces no others", () => {
    const world = new World();
    world.submit({ a: { rights: { owner: "user:bob" } } });
    expect(world.submit({ b: { onConflict: "replace" } }, ada)).toMatchObject({ kind: "refused", code: "forbidden" });
    expect(world.state("a")).toBe("created");
  });

  test("a task that waits for the one that it replaces is refused", () => {
    const world = new World();
    world.submit({ a: {} });
    expect(world.submit({ b: { onConflict: "replace", after: ["a"] } })).toMatchObject({ code: "invalid" });
  });
});
