/**
 * What concurrency keys cost others: how much slower other tasks are dispatched while many tasks wait behind a key that is used up, and
 * what idle workers pay while many tasks with different keys wait. The leader's state machine alone, in CPU time of its thread,
 * which hardly depends on what else the machine does.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { SchedulerEffect } from "../src/core/scheduler/effects.ts";
import type { SchedulerInput } from "../src/core/scheduler/inputs.ts";
import { Scheduler } from "../src/core/scheduler/scheduler.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../src/model/ids.ts";
import { protocolVersions, type ResultItem } from "../src/model/protocol.ts";
import { toSpec } from "../src/model/submission.ts";
import type { Submission } from "../src/model/submissionFields.ts";
import { median } from "./percentiles.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const batchTasks = 1_000;
const slots = 500;
const later = 1_000_000;
const boot = "boot" as BootId;

/** Shares of the same work beside as many tasks that wait without a key, so that the memory holds as much; 1 is equal. */
export interface KeyCosts {
  /** Dispatch rate of other tasks of the same lane, while the first in line wait behind a key that is used up. */
  readonly dispatchRate: number;
  /** CPU time of heartbeats and ticks with a thousand idle workers, while tasks with as many different keys wait. */
  readonly idleCost: number;
}

/** @param keyed how many tasks wait behind keys. Medians of `rounds` pairs, each measured in turn. */
export function measureKeys(keyed: number, others: number, rounds: number): KeyCosts {
  // Compiled before anything is measured.
  dispatchMs(keyed, others, false);
  idleMs(keyed, false);
  const rates: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rates.push(dispatchMs(keyed, others, false) / dispatchMs(keyed, others, true));
    costs.push(idleMs(keyed, true) / idleMs(keyed, false));
  }
  return { dispatchRate: median(rates), idleCost: median(costs) };
}

/** CPU time of this thread in ms. */
function cpuNow(): number {
  return process.threadCpuUsage().user / 1_000;
}

/** CPU time in ms from the first dispatch of `others` tasks to their last end. */
function dispatchMs(waiting: number, others: number, haveKey: boolean): number {
  const leader = new Leader();
  const worker = leader.attach("w", slots);
  // One holds the key; the others behind it come before everything else by their priority.
  const first: Partial<Submission> = { priority: 5, ...(haveKey && { concurrencyKey: "k" }) };
  leader.submit(1, first, "holder");
  leader.submit(waiting, haveKey ? first : { ...first, startAt: later }, "waiting");
  leader.assigned.length = 0;
  leader.step({ kind: "set-queue", request: 0, name: "default", settings: { isPaused: true } });
  leader.submit(others, {}, "other");
  leader.step({ kind: "set-queue", request: 0, name: "default", settings: { isPaused: false } });
  // What is left over from the preparations is not counted.
  collectGarbage();
  const before = cpuNow();
  let ended = 0;
  while (leader.assigned.length > 0) {
    const items = leader.assigned.splice(0);
    ended += items.length;
    leader.step({ kind: "report", request: 0, worker, session: leader.sessionOf(worker), items });
  }
  const tookMs = cpuNow() - before;
  if (ended !== others) throw new Error(`${ended} of ${others} tasks were dispatched.`);
  return tookMs;
}

/** CPU time in ms of heartbeats and ticks with a thousand idle workers, while tasks wait for a worker. */
function idleMs(waiting: number, haveKeys: boolean): number {
  const leader = new Leader();
  const workers = Array.from({ length: 1_000 }, (_, index) => leader.attach(`w${index}`, 1));
  leader.submit(waiting, { kind: "nobody-runs-this" }, "waiting", haveKeys ? "key-" : undefined);
  // What is left over from the preparations is not counted.
  collectGarbage();
  const before = cpuNow();
  for (let round = 0; round < 200; round += 1)
    for (const worker of workers) leader.step({ kind: "beat", worker, session: leader.sessionOf(worker) });
  return cpuNow() - before;
}

/** A leader whose entries are committed at once. */
class Leader {
  readonly assigned: ResultItem[] = [];
  readonly #scheduler = new Scheduler();
  readonly #sessions = new Map<WorkerId, SessionId>();
  #seq = 0;

  constructor() {
    this.#scheduler.activate(1_000, 1, 0);
  }

  sessionOf(worker: WorkerId): SessionId {
    const session = this.#sessions.get(worker);
    if (session === undefined) throw new Error(`Worker ${worker} is not attached.`);
    return session;
  }

  attach(name: string, capacity: number): WorkerId {
    const worker = name as WorkerId;
    const { min, max } = protocolVersions;
    const attach = {
      ...{ protocol: min, protocolMin: min, protocolMax: max, boot, capacity, queues: ["default"], running: [] },
      ...{ outbox: [], isDraining: false, epochMax: 0, incarnation: null, probePort: null },
      ...{ hostname: "h", pid: 1, version: "1" },
    };
    for (const effect of this.step({ kind: "attach", request: 0, worker, attach, host: "h" })) {
      if (effect.kind === "reply" && effect.reply.kind === "attached") this.#sessions.set(worker, effect.reply.session);
    }
    this.step({ kind: "opened", worker, session: this.sessionOf(worker) });
    return worker;
  }

  /** @param keys what their keys begin with, each different; none if left out */
  submit(count: number, more: Partial<Submission>, name: string, keys?: string): void {
    for (let from = 0; from < count; from += batchTasks) {
      const specs = Array.from({ length: Math.min(batchTasks, count - from) }, (_, index) => {
        const id = `${name}-${from + index}` as TaskId;
        const key = keys === undefined ? {} : { concurrencyKey: `${keys}${id}` };
        return toSpec({ kind: "sleep", input: { seconds: 0 }, ...more, ...key }, { id, fingerprint: null, now: 1_000 });
      });
      this.step({ kind: "submit", request: 0, specs, lookup: null });
    }
  }

  step(input: SchedulerInput): readonly SchedulerEffect[] {
    this.#seq += 1;
    const effects: SchedulerEffect[] = [];
    const out = { seq: this.#seq, writes: [], effects };
    this.#scheduler.step(1_000, input, out);
    this.#scheduler.step(1_000, { kind: "tick" }, out);
    const times = { assignedAt: 1_000, startedAt: 1_000, endedAt: 1_000 };
    for (const effect of effects) {
      if (effect.kind !== "assign") continue;
      for (const { task, attempt } of effect.attempts)
        this.assigned.push({ kind: "result", task, attempt, boot, outcome: "success", ...times });
    }
    return effects;
  }
}
