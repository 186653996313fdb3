/** A service that runs jobs for simulated workers and outlives them. Requests and answers take a while, and some of them are lost. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { type Backend, BackendTrouble, type RunHandle, type RunOrder, type RunState } from "../../ports/backend.ts";
import { hashText } from "../checkers/hashText.ts";
import type { Ledger } from "../checkers/ledger.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** The name under which workers know it. */
export const serviceName = "cloud";

/** What it is told to run; null: until it is stopped. */
export interface RemoteJob {
  readonly durationMs: number | null;
  readonly failPercent: number;
}

interface Job {
  readonly handle: RunHandle;
  readonly task: TaskId;
  state: RunState;
  isForgotten: boolean;
  readonly isHard: boolean;
}

/** Longer than a worker tries to stop a job. */
const hardMs = limits.runStopMsMax + 100_000;

export class RemoteService {
  readonly #timeline: Timeline;
  readonly #ledger: Ledger;
  readonly #random: Random;
  /** From then on it answers whatever it is asked. */
  readonly #wellFromMs: number;
  /** In some worlds there are jobs that are hard to get rid of. They take minutes. */
  readonly #hardShare: number;
  /** Keys are kept longer than jobs: a late request does not start again what is over. */
  readonly #jobs = new Map<string, Job>();

  constructor(parts: { timeline: Timeline; ledger: Ledger; random: Random; wellFromMs: number }) {
    this.#timeline = parts.timeline;
    this.#ledger = parts.ledger;
    this.#random = parts.random;
    this.#wellFromMs = parts.wellFromMs;
    this.#hardShare = parts.random.fork("hard").pick([0, 0, 0.15]);
  }

  /** The service as this process reaches it. What it has asked for happens even if it dies meanwhile. */
  backendFor(process: Process): Backend {
    const ask = <Answer>(act: () => Answer): Promise<Answer> => this.#answer(process, act);
    return {
      start: (order) => ask(() => this.#start(order)),
      inspect: (handle) =>
        ask(() => this.#stateOf(handle)).catch((error: Error) => ({ kind: "unknown", message: error.message })),
      stop: (handle, graceMs) => ask(() => this.#stop(handle, graceMs)),
      logs: () => noOutput,
      list: () => ask(() => this.#list()),
      forget: (handle) => ask(() => this.#forget(handle)),
    };
  }

  #answer<Answer>(process: Process, act: () => Answer): Promise<Answer> {
    const isWell = this.#timeline.now >= this.#wellFromMs;
    const lost = !isWell && this.#random.chance(0.15) ? this.#random.pick(["request", "answer"]) : null;
    return new Promise((resolve, reject) => {
      this.#timeline.after(this.#lagMs(), () => {
        const answer = lost === "request" ? null : { value: act() };
        this.#timeline.after(this.#lagMs(), () =>
          process.deliver(() => {
            if (answer === null || lost !== null) reject(new BackendTrouble("The service did not answer."));
            else resolve(answer.value);
          }),
        );
      });
    });
  }

  #lagMs(): number {
    return this.#random.chance(0.1) ? this.#random.integer(500, 3_000) : this.#random.integer(1, 50);
  }

  #start({ key, task, input }: RunOrder): RunHandle {
    const known = this.#jobs.get(key);
    if (known !== undefined) return known.handle;
    const { durationMs, failPercent } = (input as unknown as { readonly job: RemoteJob }).job;
    const handle = { key, id: `run-${this.#jobs.size + 1}` };
    const isHard = this.#random.chance(this.#hardShare);
    const job: Job = { handle, task, state: { kind: "running" }, isForgotten: false, isHard };
    this.#jobs.set(key, job);
    this.#ledger.add({ kind: "remote-started", key, task });
    this.#timeline.trace(`the service starts ${key} for ${task}`);
    const outcome = hashText(key) % 100 < failPercent ? "failed" : "success";
    if (durationMs !== null) this.#timeline.after(durationMs, () => this.#end(job, outcome));
    return job.handle;
  }

  #stateOf({ key }: RunHandle): RunState {
    const job = this.#jobs.get(key);
    return job === undefined || job.isForgotten ? { kind: "gone" } : job.state;
  }

  /** Most jobs end at once; some when they must. */
  #stop({ key }: RunHandle, graceMs: number): void {
    const job = this.#jobs.get(key);
    if (job?.state.kind !== "running") return;
    const afterMs = this.#random.chance(0.7) ? this.#random.integer(0, 50) : graceMs;
    this.#timeline.after(job.isHard ? hardMs : afterMs, () => this.#end(job, "stopped"));
  }

  #end(job: Job, outcome: "success" | "failed" | "stopped"): void {
    if (job.state.kind !== "running") return;
    const { key } = job.handle;
    job.state = { kind: "ended", outcome, ...(outcome === "failed" && { message: "simulated failure" }) };
    this.#ledger.add({ kind: "remote-ended", key, outcome });
    this.#timeline.trace(`the service has ${key} end: ${outcome}`);
  }

  #list(): readonly RunHandle[] {
    return [...this.#jobs.values()].filter(({ isForgotten }) => !isForgotten).map(({ handle }) => handle);
  }

  #forget({ key }: RunHandle): void {
    const job = this.#jobs.get(key);
    if (job !== undefined) job.isForgotten = true;
  }
}

const noOutput: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};
