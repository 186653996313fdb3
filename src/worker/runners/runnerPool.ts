/** The runners of a worker: warm ones are used again, new ones are started when all are busy or one is used up. */

import type { BootId } from "../../model/ids.ts";
import { type Assignment, type AttemptEnd, type IssuedAttempt, machineFault } from "../../model/protocol.ts";
import { SpawnError } from "../../ports/processes.ts";
import type { HandlerInfo } from "../../ports/runner.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { Environment } from "../executors/environment.ts";
import type { KindRunner, Machine, RunningAttempt } from "../executors/kindRunner.ts";
import { readStart } from "./attemptStart.ts";
import { Runner, type RunnerEnd, UnloadableTasks } from "./runner.ts";

export interface RunnerPoolOptions {
  readonly machine: Machine;
  /** Starts a runner that loads the task files: a program and its arguments. */
  readonly argv: readonly string[];
  /** The worker's own environment. Handlers are its operator's code, so they see all of it but what is Outlast's own. */
  readonly environment: { readonly [name: string]: string | undefined };
}

/** Runs a kind in the processes of a pool. */
export function pooledRunner(name: string, pool: RunnerPool): KindRunner {
  return { name, start: (assignment, _machine, onEnd, session) => pool.start(assignment, session, onEnd) };
}

export class RunnerPool {
  readonly #options: RunnerPoolOptions;
  readonly #environment: Environment;
  readonly #idle: Runner[] = [];
  /** One that is being started before anybody needs it; whoever comes first waits for it. */
  #spare: Runner | null = null;
  readonly #all = new Set<Runner>();
  #lastNumber = 0;
  #isStopping = false;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
    const kept = Object.entries(options.environment).filter(([name]) => !name.startsWith("OUTLAST_"));
    this.#environment = Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** Starts a first runner. Resolves with the handlers that the task files define. @throws UnloadableTasks, SpawnError */
  async open(): Promise<readonly HandlerInfo[]> {
    const runner = this.#add();
    const handlers = await runner.loaded;
    this.#idle.push(runner);
    return handlers;
  }

  start(assignment: Assignment, session: AttemptSession, onEnd: (end: AttemptEnd) => void): RunningAttempt {
    const attempt = new HandlerAttempt(this, this.#options.machine, assignment, session);
    void attempt.run().then(onEnd);
    return attempt;
  }

  /** A runner that is ready: a warm one, or else a new one. @throws UnloadableTasks, SpawnError */
  async take(): Promise<Runner> {
    for (let runner = this.#idle.pop(); runner !== undefined; runner = this.#idle.pop()) {
      if (runner.isUsable) return runner;
      this.#drop(runner);
    }
    const runner = this.#spare ?? this.#add();
    this.#spare = null;
    try {
      await runner.loaded;
      return runner;
    } catch (error) {
      this.#drop(runner);
      throw error;
    }
  }

  give(runner: Runner): void {
    if (runner.isUsable && !this.#isStopping) {
      this.#idle.push(runner);
      return;
    }
    this.#drop(runner);
    this.warm();
  }

  /** Has one ready, so that the next attempt need not wait for a process to start. */
  warm(): void {
    if (this.#isStopping || this.#idle.length > 0 || this.#spare !== null) return;
    const spare = this.#add();
    this.#spare = spare;
    const unlessTaken = (then: () => void) => {
      if (this.#spare !== spare) return;
      this.#spare = null;
      then();
    };
    spare.loaded.then(
      () => unlessTaken(() => this.give(spare)),
      (error: unknown) =>
        unlessTaken(() => {
          this.#drop(spare);
          this.#options.machine.log.warn("A new process for handlers could not be started.", { error });
        }),
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#all].map((runner) => runner.retire()));
  }

  #add(): Runner {
    const { machine, argv } = this.#options;
    this.#lastNumber += 1;
    const own = `OUTLAST_RUNNER=${this.#lastNumber}`;
    const { home, worker, boot } = machine;
    const env = {
      ...this.#environment,
      OUTLAST_HOME: home,
      OUTLAST_WORKER: worker,
      OUTLAST_BOOT: boot,
      OUTLAST_RUNNER: String(this.#lastNumber),
    };
    const runner = new Runner({ machine, argv, env, cwd: machine.directory, marks: [bootMark(boot), own] });
    this.#all.add(runner);
    return runner;
  }

  #drop(runner: Runner): void {
    void runner.retire().then(() => this.#all.delete(runner));
  }
}

function bootMark(boot: BootId): string {
  return `OUTLAST_BOOT=${boot}`;
}

/** One attempt of a handler, from the reading of its steps to its end. */
class HandlerAttempt implements RunningAttempt {
  readonly #pool: RunnerPool;
  readonly #machine: Machine;
  readonly #assignment: Assignment;
  readonly #session: AttemptSession;
  readonly #aborted = Promise.withResolvers<"aborted">();
  #isAborted = false;
  #runner: Runner | null = null;

  constructor(pool: RunnerPool, machine: Machine, assignment: Assignment, session: AttemptSession) {
    this.#pool = pool;
    this.#machine = machine;
    this.#assignment = assignment;
    this.#session = session;
  }

  abort(graceMs: number): void {
    this.#isAborted = true;
    this.#aborted.resolve("aborted");
    this.#runner?.abort(graceMs);
  }

  /** Never rejects. */
  async run(): Promise<AttemptEnd> {
    const { clock } = this.#machine;
    const startedAt = clock.now();
    const { end, exit } = await this.#run();
    return { ...end, startedAt, endedAt: clock.now(), ...(exit !== undefined && { exit }) };
  }

  async #run(): Promise<RunnerEnd> {
    const start = await Promise.race([
      readStart(this.#assignment, this.#session, this.#machine.clock.now()),
      this.#aborted.promise,
    ]);
    if (start === null || start === "aborted" || this.#isAborted) return { end: { outcome: "aborted" } };
    let runner: Runner;
    try {
      runner = await this.#pool.take();
    } catch (error) {
      const what =
        error instanceof UnloadableTasks ? "The task files can no longer be loaded" : "No process for the handler";
      const message = `${what}: ${error instanceof Error ? error.message : String(error)}`;
      if (error instanceof SpawnError && error.fault === "machine")
        return { end: { outcome: "aborted", error: { code: machineFault, message } } };
      return { end: { outcome: "failed", error: { code: "runner", message } } };
    }
    if (this.#isAborted) {
      this.#pool.give(runner);
      return { end: { outcome: "aborted" } };
    }
    this.#runner = runner;
    const { task, attempt, assignedAt } = this.#assignment;
    const issued: IssuedAttempt = { task, attempt, assignedAt };
    const ended = await runner.run(issued, start, this.#session);
    this.#runner = null;
    this.#pool.give(runner);
    return ended;
  }
}
