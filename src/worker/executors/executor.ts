/** Runs attempts on this machine: sleeps in the worker's own process, commands in theirs. */
import { resolve } from "node:path";
import { attemptKey } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import type { ExecInput } from "../../model/kinds/exec.ts";
import type { SleepInput } from "../../model/kinds/sleep.ts";
import { builtInKinds } from "../../model/kinds/table.ts";
import type { Assignment, AttemptEnd, AttemptRef, IssuedAttempt } from "../../model/protocol.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Processes } from "../../ports/processes.ts";
import type { AttemptSession, Executor } from "../../ports/work.ts";
import { CommandAttempt } from "./command.ts";
import {
  attemptEnvironment,
  attemptMarks,
  bootMarks,
  type Environment,
  type ExecutorIdentity,
  inheritedEnvironment,
  workerMarks,
} from "./environment.ts";
import { Watchdog } from "./watchdog.ts";

export interface ExecutorOptions extends ExecutorIdentity {
  readonly clock: Clock;
  readonly log: Log;
  readonly processes: Processes;
  /** The worker's own environment, of which commands see a little. */
  readonly environment: { readonly [name: string]: string | undefined };
  /** Where commands run that do not say where; absolute. A task's relative `cwd` starts here. */
  readonly directory: string;
  /** Output of a command. While a returned promise is pending, the command is held up by its full pipe. */
  onOutput(attempt: IssuedAttempt, bytes: Uint8Array): void | Promise<void>;
}

/** An attempt that has not ended. */
interface Run {
  abort(graceMs: number): void;
}

export class ProcessExecutor implements Executor {
  readonly kinds = builtInKinds.map(({ name }) => name);
  readonly #options: ExecutorOptions;
  readonly #base: Environment;
  readonly #watchdog: Watchdog;
  readonly #runs = new Map<string, Run>();
  #isStopping = false;
  #onEmpty: () => void = () => {};

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#base = inheritedEnvironment(options.environment);
    const { processes, clock, log } = options;
    const [mark = ""] = bootMarks(options);
    this.#watchdog = new Watchdog({ mark, path: this.#base["PATH"] ?? "", processes, clock, log });
  }

  /**
   * Kills what an earlier life of this worker left running. Must have resolved before the worker attaches: from then on those
   * attempts may run elsewhere.
   */
  async open(): Promise<void> {
    const { log, processes, worker } = this.#options;
    const { killed, left } = await processes.killAll(workerMarks(this.#options), null);
    if (killed > 0) log.info("Killed what an earlier life of this worker had left running.", { worker, killed });
    if (left.length > 0) log.warn("Processes of an earlier life cannot be killed.", { worker, pids: left });
  }

  start(assignment: Assignment, session: AttemptSession): void {
    const onEnd = (end: AttemptEnd) => session.end(end);
    const { clock } = this.#options;
    const now = clock.now();
    if (this.#isStopping) return onEnd({ outcome: "aborted", startedAt: now, endedAt: now });
    switch (assignment.kind) {
      case "sleep":
        if (isSleepInput(assignment.input)) return this.#sleep(assignment, assignment.input, onEnd);
        break;
      case "exec":
        if (isExecInput(assignment.input)) return this.#execute(assignment, assignment.input, onEnd);
        break;
      default: {
        // The leader assigns by kind, so only a master of another version sends this. It is not the task's fault.
        const message = `This worker cannot run tasks of kind ${assignment.kind}.`;
        return session.end({
          outcome: "aborted",
          startedAt: now,
          endedAt: now,
          error: { code: "unsupported", message },
        });
      }
    }
    const message = `The input of this ${assignment.kind} task is not valid for this version of the worker.`;
    onEnd({ outcome: "failed", startedAt: now, endedAt: now, error: { code: "invalid-input", message } });
  }

  /** Does nothing for an attempt that has ended. */
  abort({ task, attempt }: AttemptRef, graceMs: number): void {
    this.#runs.get(attemptKey(task, attempt))?.abort(graceMs);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const run of [...this.#runs.values()]) run.abort(0);
    if (this.#runs.size > 0) {
      await new Promise<void>((done) => {
        this.#onEmpty = done;
      });
    }
    await this.#watchdog.stop();
  }

  /** Nothing but a timer, and for zero seconds not even that: tiny tasks come in tens of thousands a second. */
  #sleep({ task, attempt }: AttemptRef, { seconds }: SleepInput, onEnd: (end: AttemptEnd) => void): void {
    const { clock } = this.#options;
    const startedAt = clock.now();
    if (seconds === 0) return onEnd({ outcome: "success", startedAt, endedAt: startedAt });
    const key = attemptKey(task, attempt);
    const end = (outcome: "success" | "aborted") => {
      this.#remove(key);
      onEnd({ outcome, startedAt, endedAt: clock.now() });
    };
    const timer = clock.at(startedAt + Math.ceil(seconds * 1000), () => end("success"));
    const abort = () => {
      timer.cancel();
      end("aborted");
    };
    this.#runs.set(key, { abort });
  }

  #execute(assignment: Assignment, input: ExecInput, onEnd: (end: AttemptEnd) => void): void {
    const { processes, clock, log, directory } = this.#options;
    const { task, attempt: number, assignedAt } = assignment;
    const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
    const command = new CommandAttempt({
      attempt,
      input,
      env: attemptEnvironment(this.#base, input.env, this.#options, attempt),
      cwd: resolve(directory, input.cwd ?? ""),
      marks: attemptMarks(this.#options, attempt),
      processes,
      watchdog: this.#watchdog,
      clock,
      log,
      onOutput: (bytes) => this.#options.onOutput(attempt, bytes),
    });
    const key = attemptKey(attempt.task, attempt.attempt);
    this.#runs.set(key, command);
    void command.run().then((end) => {
      this.#remove(key);
      onEnd(end);
    });
  }

  #remove(key: string): void {
    this.#runs.delete(key);
    if (this.#runs.size === 0) this.#onEmpty();
  }
}

function isSleepInput(input: Json): input is Json & SleepInput {
  const seconds = isObject(input) ? input["seconds"] : null;
  return typeof seconds === "number" && seconds >= 0;
}

function isExecInput(input: Json): input is Json & ExecInput {
  if (!isObject(input)) return false;
  const { command, env = {}, cwd = "", shell = false } = input;
  const isCommand = Array.isArray(command) && command.length > 0 && command.every(isText);
  const isEnvironment = isObject(env) && Object.values(env).every(isText);
  return isCommand && isEnvironment && isText(cwd) && typeof shell === "boolean";
}

function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
