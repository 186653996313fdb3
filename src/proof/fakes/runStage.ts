/** One task whose work a service in memory does, for tests of its attempts. */
import type { Json } from "../../model/json.ts";
import type { OpenRun } from "../../model/kinds/remote.ts";
import type { AttemptEnd } from "../../model/protocol.ts";
import type { Backend, RunHandle, RunOrder, RunState } from "../../ports/backend.ts";
import type { AttemptSession } from "../../ports/work.ts";
import { RunAttempt } from "../../worker/executors/runAttempt.ts";
import { RunSteps } from "../../worker/executors/runSteps.ts";
import { FakeClock } from "./fakeClock.ts";
import { sessionThatEnds } from "./sessions.ts";

const settings = { pollMs: 100, retryBaseMs: 10, retryMaxMs: 40, startTriesMax: 3, stopMsMax: 1_000, logMsMax: 1_000 };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A service in memory, which does at once what it is told, and answers as the test wants. */
class MemoryBackend implements Backend {
  readonly calls: string[] = [];
  readonly states = new Map<string, RunState>();
  readonly output = new Map<string, string>();
  /** What the next calls come to instead. */
  readonly troubles: Error[] = [];
  hasList = true;

  async start({ key }: RunOrder): Promise<RunHandle> {
    this.#note(`start ${key}`);
    if (!this.states.has(key)) this.states.set(key, { kind: "running" });
    return { key, id: `id-of-${key}` };
  }

  async inspect({ key }: RunHandle): Promise<RunState> {
    return this.states.get(key) ?? { kind: "gone" };
  }

  async stop({ key }: RunHandle): Promise<void> {
    this.#note(`stop ${key}`);
    if (this.states.get(key)?.kind === "running") this.states.set(key, { kind: "ended", outcome: "stopped" });
  }

  async *logs({ key }: RunHandle, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
    const bytes = Buffer.from(this.output.get(key) ?? "").subarray(offset);
    if (bytes.length > 0) yield bytes;
  }

  async list(): Promise<readonly RunHandle[] | null> {
    if (!this.hasList) return null;
    return [...this.states.keys()].map((key) => ({ key, id: `id-of-${key}` }));
  }

  async forget({ key }: RunHandle): Promise<void> {
    this.#note(`forget ${key}`);
  }

  #note(call: string): void {
    this.calls.push(call);
    const trouble = this.troubles.shift();
    if (trouble !== undefined) throw trouble;
  }
}

/** One task, its memory, and the service that runs it. */
export class RunStage {
  readonly clock = new FakeClock();
  readonly backend = new MemoryBackend();
  readonly steps = new Map<string, Json>();
  readonly told: string[] = [];
  isOver = false;
  /** What masters were told last of the job. */
  openRun: OpenRun | "left" | null = null;
  log = "";

  attempt(number: number, isKept = true): { readonly run: RunAttempt; readonly end: Promise<AttemptEnd> } {
    const run = this.#make(number, isKept);
    return { run, end: run.run() };
  }

  /** Of a task that stops the run with the key `k1`. */
  stopping(known: RunHandle | null): { readonly run: RunAttempt; readonly end: Promise<AttemptEnd> } {
    const run = this.#make(1, false);
    return { run, end: run.stop(known) };
  }

  #make(number: number, isKept: boolean): RunAttempt {
    const attempt = { task: "t" as never, attempt: number, assignedAt: number };
    return new RunAttempt({
      ...{ attempt, settings, clock: this.clock, log: silent, backend: this.backend },
      order: { task: "t" as never, attempt: number, key: `k${number}`, input: null, environment: {} },
      steps: isKept ? new RunSteps(this.#session(), "batch") : null,
      tell: (text) => void this.told.push(text),
      onOutput: (bytes) => {
        this.log += Buffer.from(bytes).toString();
      },
    });
  }

  /** Lets time pass, and then everything that was begun come to rest. */
  settle(passMs = 0): Promise<void> {
    return this.clock.advance(passMs);
  }

  /** @throws Error if it does not end */
  async endOf(end: Promise<AttemptEnd>): Promise<AttemptEnd> {
    const ends: AttemptEnd[] = [];
    void end.then((value) => ends.push(value));
    for (let round = 0; ends.length === 0 && round < 100; round += 1) await this.settle(50);
    if (ends.length === 0) throw new Error("The attempt does not end.");
    return end;
  }

  #session(): AttemptSession {
    return {
      ...sessionThatEnds(() => {}),
      readSteps: async () => ({ steps: [...this.steps].map(([key, value]) => ({ key, step: { value } })), next: null }),
      send: async (content) => {
        if (this.isOver) return { verdict: "stale" };
        if (content.kind === "step") {
          this.steps.set(content.key, content.value);
          if (content.run !== undefined) this.openRun = content.run;
        }
        return { verdict: "committed" };
      },
    };
  }
}
