/** Rules of the scheduler that no single story shows: they hold for any story. The stories are in tests/scenarios. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Write } from "../../model/entry.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { IssuedAttempt, Outcome } from "../../model/protocol.ts";
import { toSpec } from "../../model/submission.ts";
import { isFinal, type TaskStatus, transitions } from "../../model/task.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import type { SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { Scheduler } from "./scheduler.ts";

/** A scheduler with the rest of the world reduced to what it has been told and has told. */
class World {
  readonly scheduler = new Scheduler();
  readonly journal: { now: number; write: Write }[] = [];
  readonly statuses = new Map<TaskId, TaskStatus>();
  readonly sessions = new Map<string, SessionId>();
  readonly running = new Map<string, { worker: WorkerId; boot: BootId; ref: IssuedAttempt }>();
  seq = 1;
  now = 1_000_000;

  constructor() {
    this.scheduler.activate(this.now, 1, 1);
  }

  batch(...inputs: SchedulerInput[]): SchedulerEffect[] {
    this.seq += 1;
    const out = { seq: this.seq, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const input of [...inputs, { kind: "tick" } as const]) this.scheduler.step(this.now, input, out);
    for (const write of out.writes) this.#note(write);
    for (const effect of out.effects) this.#follow(effect);
    return out.effects;
  }

  attach(worker: string, boot: string, capacity: number): void {
    const id = worker as WorkerId;
    const running = [...this.running.values()].filter((run) => run.worker === id && run.boot === boot);
    const attach = attachRequest({
      boot: boot as BootId,
      capacity,
      running: running.map(({ ref }) => ({ ...ref, startedAt: this.now })),
    });
    const effects = this.batch({ kind: "attach", request: 0, worker: id, attach, host: "h" });
    for (const effect of effects) {
      if (effect.kind !== "reply" || effect.reply.kind !== "attached") continue;
      this.sessions.set(worker, effect.reply.session);
      for (const ref of effect.reply.abort) this.running.delete(`${ref.task}/${ref.attempt}`);
      this.batch({ kind: "opened", worker: id, session: effect.reply.session });
    }
  }

  submit(count: number, attemptsMax = 3): void {
    const specs = Array.from({ length: count }, (_, index) =>
      toSpec(
        { kind: "sleep", input: { seconds: 1 }, attemptsMax, killsMax: 5 },
        { id: `t${this.seq}-${index}` as TaskId, fingerprint: null, now: this.now },
      ),
    );
    this.batch({ kind: "submit", request: 0, specs, lookup: null });
  }

  finish(pick: number, outcome: Outcome): void {
    const runs = [...this.running.values()];
    const run = runs[pick % Math.max(1, runs.length)];
    const session = run === undefined ? undefined : this.sessions.get(run.worker);
    if (run === undefined || session === undefined) return;
    this.running.delete(`${run.ref.task}/${run.ref.attempt}`);
    const item = {
      kind: "result",
      ...run.ref,
      boot: run.boot,
      outcome,
      startedAt: this.now,
      endedAt: this.now,
    } as const;
    this.batch({ kind: "report", request: 0, worker: run.worker, session, items: [item] });
  }

  #note(write: Write): void {
    this.journal.push({ now: this.now, write });
    if (write.kind !== "status") return;
    const before = this.statuses.get(write.status.id);
    expect(transitions[before?.state ?? "none"]).toContain(write.status.state);
    const step = write.status.attempt - (before?.attempt ?? 0);
    expect(step === 0 || (step === 1 && write.status.state === "running")).toBe(true);
    this.statuses.set(write.status.id, write.status);
  }

  #follow(effect: SchedulerEffect): void {
    if (effect.kind === "assign") {
      for (const { task, attempt, assignedAt } of effect.attempts) {
        const status = this.statuses.get(task);
        expect(status).toMatchObject({ state: "running", attempt, host: effect.worker });
        const boot = status?.boot as BootId;
        this.running.set(`${task}/${attempt}`, { worker: effect.worker, boot, ref: { task, attempt, assignedAt } });
      }
    }
    // An aborted attempt takes a while to end: it stays among the running until `finish` picks it.
  }
}

type Command = { do: string; a: number; b: number };
const commands: fc.Arbitrary<Command[]> = fc.array(
  fc.record({
    do: fc.constantFrom(
      "submit",
      "attach",
      "reboot",
      "close",
      "success",
      "fail",
      "abort",
      "cancel",
      "pass",
      "clock-gap",
      "drain",
    ),
    a: fc.nat({ max: 5 }),
    b: fc.nat({ max: 50 }),
  }),
  { maxLength: 80 },
);

function play(world: World, { do: what, a, b }: Command): void {
  const worker = `w${a % 3}`;
  const session = world.sessions.get(worker) ?? ("none" as SessionId);
  switch (what) {
    case "submit":
      return world.submit(b % 7);
    case "attach":
      return world.attach(worker, `${worker}-boot-0`, 1);
    case "reboot":
      return world.attach(worker, `${worker}-boot-${b}`, 1 + (b % 3));
    case "close":
      world.batch({ kind: "closed", worker: worker as WorkerId, session });
      return;
    case "success":
      return world.finish(b, "success");
    case "fail":
      return world.finish(b, "failed");
    case "abort":
      return world.finish(b, "aborted");
    case "cancel": {
      const id = [...world.statuses.keys()][b];
      if (id !== undefined) world.batch({ kind: "cancel", request: 0, id });
      return;
    }
    case "pass":
      world.now += [1, 100, 600, 4_000, 20_000][a % 5] ?? 1;
      world.batch();
      return;
    case "clock-gap":
      world.batch({ kind: "clock-gap", forMs: 100 * b });
      return;
    default:
      world.batch({ kind: "drain-worker", request: 0, worker: worker as WorkerId });
  }
}

describe("whatever happens", () => {
  test("every step is a legal transition, attempts count up by one, and nobody holds more than its capacity", () => {
    fc.assert(
      fc.property(commands, (script) => {
        const world = new World();
        for (const command of script) {
          play(world, command);
          for (const effect of world.batch({ kind: "inspect-workers", request: 1 })) {
            if (effect.kind !== "reply" || effect.reply.kind !== "workers") continue;
            for (const view of effect.reply.workers) {
              expect(view.running).toBeGreaterThanOrEqual(0);
              expect(view.running).toBeLessThanOrEqual(view.capacity);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a scheduler rebuilt from the journal knows the same, and decides the same from there", () => {
    fc.assert(
      fc.property(commands, commands, (before, after) => {
        const live = new World();
        live.submit(5);
        for (const command of before) play(live, command);
        const rebuilt = [1, 2].map(() => {
          const scheduler = new Scheduler();
          for (const { now, write } of live.journal) scheduler.apply(write, now);
          scheduler.activate(live.now, 2, live.seq);
          return scheduler;
        });
        expect(rebuilt[0]?.digest).toEqual(live.scheduler.digest);
        expect(rebuilt[0]?.countTasks()).toEqual(nonZero(live.scheduler.countTasks(), rebuilt[0]?.countTasks() ?? {}));
        const inputs = scriptToInputs(after);
        const outputs = rebuilt.map((scheduler) => runInputs(scheduler, inputs, live.now, live.seq));
        expect(outputs[0]).toEqual(outputs[1]);
      }),
      { numRuns: 200 },
    );
  });

  test("once faults end and workers stay, every task ends", () => {
    fc.assert(
      fc.property(commands, (script) => {
        const world = new World();
        world.submit(6);
        for (const command of script) play(world, command);
        for (let round = 0; round < 60; round += 1) {
          world.now += 400_000;
          world.running.clear();
          world.attach("healer", `healer-boot-${round}`, 10);
          while (world.running.size > 0) world.finish(0, "success");
        }
        for (const status of world.statuses.values()) expect(isFinal(status.state)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

/** The counts of `all` that are not zero, with the zeros that `pattern` has. */
function nonZero(all: Record<string, number>, pattern: Record<string, number>): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [state, count] of Object.entries(all)) if (count !== 0 || state in pattern) result[state] = count;
  return result;
}

function scriptToInputs(script: readonly Command[]): SchedulerInput[] {
  return script.map(({ do: what, a, b }) => {
    const worker = `w${a % 3}` as WorkerId;
    if (what === "clock-gap") return { kind: "clock-gap", forMs: b };
    if (what === "drain") return { kind: "drain-worker", request: 0, worker };
    if (what === "cancel") return { kind: "cancel", request: 0, id: `t1-${b % 5}` as TaskId };
    return { kind: "report-exit", request: 0, worker, boot: `${worker}-boot-0` as BootId };
  });
}

function runInputs(scheduler: Scheduler, inputs: readonly SchedulerInput[], now: number, seq: number): unknown {
  return inputs.map((input, index) => {
    const out = { seq: seq + index, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    scheduler.step(now + index * 1000, input, out);
    scheduler.step(now + index * 1000, { kind: "tick" }, out);
    return out;
  });
}
