/** Workers that run one task with a backend and die at a given point, one after the other, until its attempt ends. */
import type { StepRecord } from "../../model/family.ts";
import type { AttemptEnd, ItemAnswer } from "../../model/protocol.ts";
import { SystemClock } from "../../node/clock.ts";
import type { Backend, RunHandle, RunOrder } from "../../ports/backend.ts";
import type { Log } from "../../ports/log.ts";
import type { AttemptSession } from "../../ports/work.ts";
import { RunAttempt } from "../../worker/executors/runAttempt.ts";
import { RunSteps } from "../../worker/executors/runSteps.ts";

const settings = {
  pollMs: 50,
  retryBaseMs: 20,
  retryMaxMs: 200,
  startTriesMax: 5,
  stopMsMax: 10_000,
  logMsMax: 10_000,
};

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a dead worker waits for. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** Dies before or after one of the calls that it makes: what it has done stays done, and what it was told it does not know. */
class Mortal {
  readonly died = Promise.withResolvers<"died">();
  #left: number;
  #isDead = false;

  constructor(diesAt: number) {
    this.#left = diesAt;
  }

  async call<Result>(make: () => Promise<Result>): Promise<Result> {
    await this.#pass();
    const result = await make();
    await this.#pass();
    return result;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async #pass(): Promise<void> {
    this.#left -= 1;
    if (this.#left === 0) {
      this.#isDead = true;
      this.died.resolve("died");
    }
    if (this.#isDead) await never();
  }
}

/** @returns how the attempts ended that were not cut off */
export async function dyingWorker(parts: {
  readonly open: () => Backend;
  readonly order: RunOrder;
  readonly diesAt: number;
}): Promise<{ readonly hasDied: boolean; readonly ends: readonly AttemptEnd[] }> {
  const steps = new Map<string, StepRecord>();
  const ends: AttemptEnd[] = [];
  let hasDied = false;
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const mortal = new Mortal(attempt === 1 ? parts.diesAt : Number.POSITIVE_INFINITY);
    const running = new RunAttempt({
      attempt: { task: parts.order.task, attempt, assignedAt: attempt },
      backend: mortalBackend(parts.open(), mortal),
      // A later attempt would begin a run with a key of its own.
      order: attempt === 1 ? parts.order : { ...parts.order, key: `${parts.order.key}-${attempt}`, attempt },
      steps: new RunSteps(sessionOver(steps, mortal), "contract"),
      ...{ settings, clock: new SystemClock(), log: silent },
      tell: () => {},
      onOutput: () => {},
    });
    const end = await Promise.race([running.run(), mortal.died.promise]);
    if (end !== "died") ends.push(end);
    if (end !== "died" && end.outcome === "success") break;
    hasDied = true;
  }
  return { hasDied, ends };
}

/**
 * Workers that stop a run whose task is over, and die at a given point, one after the other.
 * @param known null: the run is looked for by the key of the order
 */
export async function dyingStopper(parts: {
  readonly open: () => Backend;
  readonly order: RunOrder;
  readonly known: RunHandle | null;
  readonly diesAt: number;
}): Promise<{ readonly hasDied: boolean; readonly end: AttemptEnd | "died" }> {
  const stopOnce = (mortal: Mortal, attempt: number): Promise<AttemptEnd | "died"> => {
    const stopping = new RunAttempt({
      attempt: { task: parts.order.task, attempt, assignedAt: attempt },
      ...{ backend: mortalBackend(parts.open(), mortal), order: parts.order, steps: null },
      ...{ settings, clock: new SystemClock(), log: silent },
      tell: () => {},
      onOutput: () => {},
    });
    return Promise.race([stopping.stop(parts.known), mortal.died.promise]);
  };
  const first = await stopOnce(new Mortal(parts.diesAt), 1);
  if (first !== "died") return { hasDied: false, end: first };
  return { hasDied: true, end: await stopOnce(new Mortal(Number.POSITIVE_INFINITY), 2) };
}

function sessionOver(steps: Map<string, StepRecord>, mortal: Mortal): AttemptSession {
  return {
    send: (content) =>
      mortal.call(async (): Promise<ItemAnswer> => {
        if (content.kind === "step" && !steps.has(content.key)) steps.set(content.key, { value: content.value });
        return { verdict: "committed" };
      }),
    readSteps: () =>
      mortal.call(async () => ({ steps: [...steps].map(([key, step]) => ({ key, step })), next: null }) as never),
    readChildren: never,
    tell: () => {},
    end: () => {},
    onMessage: () => {},
  };
}

function mortalBackend(backend: Backend, mortal: Mortal): Backend {
  return {
    start: (order, stop) => mortal.call(() => backend.start(order, stop)),
    inspect: (handle) => mortal.call(() => backend.inspect(handle)),
    stop: (handle, graceMs) => mortal.call(() => backend.stop(handle, graceMs)),
    forget: (handle) => mortal.call(() => backend.forget(handle)),
    list: () => mortal.call(() => backend.list()),
    async *logs(handle, offset, stop) {
      for await (const piece of backend.logs(handle, offset, stop)) {
        if (mortal.isDead) await never();
        yield piece;
      }
    },
  };
}
