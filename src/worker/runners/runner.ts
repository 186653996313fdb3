/** One runner: a child process that runs handlers, from its start until nothing of it is left. One attempt at a time. */
import { defaults } from "../../model/defaults.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { IssuedAttempt } from "../../model/protocol.ts";
import type { AttemptError, ExitRecord } from "../../model/task.ts";
import type { Timer } from "../../ports/clock.ts";
import { SpawnError, type StartedProcess } from "../../ports/processes.ts";
import type {
  FromRunner,
  HandlerEnding,
  HandlerInfo,
  HandlerStart,
  RunnerMessage,
  ToRunner,
} from "../../ports/runner.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { Environment } from "../executors/environment.ts";
import type { Machine } from "../executors/kindRunner.ts";
import { AttemptFiles } from "./attemptFiles.ts";

/** The last output of an attempt, in which the cause of a crash is looked for. */
const tailBytesMax = 8 * 1024;

export interface RunnerOptions {
  readonly machine: Machine;
  /** The program and its arguments. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly cwd: string;
  /** What every process that it starts carries in its environment, and no other runner's. */
  readonly marks: readonly string[];
}

/** How an attempt ended in a runner. */
export interface RunnerEnd {
  readonly end: HandlerEnding;
  readonly exit?: ExitRecord;
}

export class Runner {
  /** Resolves once its task files are loaded. Rejects with `UnloadableTasks`, or with SpawnError if it cannot be started. */
  readonly loaded: Promise<readonly HandlerInfo[]>;
  readonly #options: RunnerOptions;
  readonly #loading = Promise.withResolvers<readonly HandlerInfo[]>();
  readonly #exited = Promise.withResolvers<ExitRecord | null>();
  readonly #outputEnded = Promise.withResolvers<void>();
  #child: StartedProcess | null = null;
  #attempts = 0;
  #running: RunningHandler | null = null;
  #isUsable = true;
  #clearing: Promise<void> | null = null;
  #tail: Buffer = Buffer.alloc(0);

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.loaded = this.#loading.promise;
    // Whoever needs it awaits it; nobody else is troubled.
    this.loaded.catch(() => undefined);
    void this.#start();
  }

  /** False once it must not be given another attempt. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Runs one attempt. Resolves when it has ended: then nothing of it is alive. Never rejects. */
  async run(attempt: IssuedAttempt, start: HandlerStart, session: AttemptSession): Promise<RunnerEnd> {
    const running: RunningHandler = {
      attempt,
      session,
      files: new AttemptFiles(this.#options.machine, session),
      ended: Promise.withResolvers<Ended>(),
      abortedBy: null,
      killTimer: null,
      killAt: Number.POSITIVE_INFINITY,
    };
    this.#running = running;
    this.#attempts += 1;
    this.#tail = Buffer.alloc(0);
    this.#say({ kind: "start", attempt: start });
    if (!this.#isUsable) this.#end({ kind: "exit", exit: null });
    const ended = await running.ended.promise;
    running.killTimer?.cancel();
    if (this.#isUsable) await this.#child?.drained();
    else await this.retire();
    this.#running = null;
    await running.files.end();
    return judge(ended, running.abortedBy !== null, this.#tail);
  }

  /** Fires the handler's abort signal now, and kills the process after `graceMs`. A later call can only make that sooner. */
  abort(graceMs: number): void {
    const running = this.#running;
    if (running === null) return;
    const { clock } = this.#options.machine;
    const killAt = clock.now() + graceMs;
    if (killAt >= running.killAt) return;
    const isFirst = running.abortedBy === null;
    running.abortedBy = "worker";
    running.killAt = killAt;
    running.killTimer?.cancel();
    // An aborted handler may have left anything half done in its process.
    this.#isUsable = false;
    if (isFirst && graceMs > 0) this.#say({ kind: "abort", reason: "The attempt is aborted." });
    if (graceMs <= 0) void this.retire();
    else running.killTimer = clock.at(killAt, () => void this.retire());
  }

  /** Kills it and all that it started. Resolves when nothing of it is left. */
  retire(): Promise<void> {
    this.#isUsable = false;
    this.#clearing ??= this.#clearAway();
    return this.#clearing;
  }

  async #start(): Promise<void> {
    const { machine, argv, env, cwd } = this.#options;
    await machine.watchdog.ready();
    try {
      const child = await machine.processes.spawn(
        { argv, env, cwd, home: cwd, isTied: true, hasInput: false, hasChannel: true },
        {
          onOutput: (bytes) => this.#onOutput(bytes),
          onOutputEnd: () => this.#outputEnded.resolve(),
          onExit: (exit) => this.#onExit(exit),
          onMessage: (message) => {
            if (isOfRunner(message)) this.#onMessage(message.outlast);
          },
        },
      );
      this.#child = child;
      machine.watchdog.watch(child.pid);
      if (!this.#isUsable) machine.processes.signalGroup(child.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      this.#isUsable = false;
      this.#loading.reject(error);
      this.#exited.resolve(null);
      this.#outputEnded.resolve();
    }
  }

  #say(message: ToRunner): void {
    this.#child?.send(message as unknown as Json);
  }

  #onMessage(message: FromRunner): void {
    switch (message.kind) {
      case "loaded":
        return this.#loading.resolve(message.handlers);
      case "unloadable":
        this.#loading.reject(new UnloadableTasks(message.problems));
        void this.retire();
        return;
      case "send":
        void this.#running?.session.send(message.content).then((answer) => {
          this.#say({ kind: "answer", ticket: message.ticket, answer });
        });
        return;
      case "tell":
        return this.#running?.session.tell(message.content);
      case "read":
        this.#running?.session.readChildren(message.key, message.from).then(
          (page) => this.#say({ kind: "page", ticket: message.ticket, page }),
          // The attempt is over for the leader, which also aborts it.
          () => undefined,
        );
        return;
      case "files":
        void this.#running?.files.answer(message.asked).then((files) => {
          if (files !== null) this.#say({ kind: "files", ticket: message.ticket, files });
        });
        return;
      case "end": {
        const { obstacle, heapBytes } = message.reuse;
        const { log } = this.#options.machine;
        if (this.#attempts >= limits.runnerAttemptsMax || heapBytes > limits.runnerHeapBytesMax) this.#isUsable = false;
        if (obstacle !== null) {
          this.#isUsable = false;
          log.debug("a handler left something open; its process is not used again", {
            ...this.#running?.attempt,
            obstacle,
          });
        }
        return this.#end({ kind: "handler", end: message.end });
      }
      default:
        message satisfies never;
    }
  }

  #onOutput(bytes: Uint8Array): void | Promise<void> {
    const running = this.#running;
    if (running === null) {
      this.#options.machine.log.info("output of a runner between attempts", {
        output: Buffer.from(bytes).toString().trimEnd(),
      });
      return;
    }
    this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-tailBytesMax);
    return this.#options.machine.onOutput(running.attempt, bytes);
  }

  #onExit(exit: ExitRecord): void {
    this.#isUsable = false;
    this.#loading.reject(new UnloadableTasks([`The process that loads the task files ended (${describeExit(exit)}).`]));
    this.#exited.resolve(exit);
    this.#end({ kind: "exit", exit });
  }

  #end(ended: Ended): void {
    this.#running?.ended.resolve(ended);
  }

  async #clearAway(): Promise<void> {
    const { machine, marks } = this.#options;
    const { processes, watchdog, log, clock } = machine;
    const pid = this.#child?.pid ?? null;
    if (pid !== null) processes.signalGroup(pid, "SIGKILL");
    await this.#exited.promise;
    const { left } = await processes.killAll(marks, pid);
    if (left.length > 0) log.warn("Processes of a handler cannot be killed.", { pids: left });
    if (pid !== null) watchdog.forget(pid);
    // With everyone dead who could hold the pipe, its end comes at once; a bound for what cleared its environment and lives.
    const bound = Promise.withResolvers<void>();
    const timer = clock.at(clock.now() + defaults.outputDrainMs, bound.resolve);
    await Promise.race([this.#outputEnded.promise, bound.promise]);
    timer.cancel();
    this.#child?.closeOutput();
  }
}

/** The task files of a worker cannot be loaded: what is wrong, one sentence each. */
export class UnloadableTasks extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "UnloadableTasks";
    this.problems = problems;
  }
}

interface RunningHandler {
  readonly attempt: IssuedAttempt;
  readonly session: AttemptSession;
  readonly files: AttemptFiles;
  readonly ended: PromiseWithResolvers<Ended>;
  abortedBy: "worker" | null;
  killTimer: Timer | null;
  killAt: number;
}

type Ended =
  | { readonly kind: "handler"; readonly end: HandlerEnding }
  | { readonly kind: "exit"; readonly exit: ExitRecord | null };

/** Not what a handler says, or a library in it that takes the worker for a parent of its own. */
function isOfRunner(message: unknown): message is RunnerMessage {
  return typeof message === "object" && message !== null && "outlast" in message;
}

function judge(ended: Ended, isAborted: boolean, tail: Buffer): RunnerEnd {
  if (isAborted) return { end: { outcome: "aborted" } };
  if (ended.kind === "handler") return { end: ended.end };
  const { exit } = ended;
  const end: HandlerEnding = { outcome: "failed", error: causeOfExit(exit, tail.toString()) };
  return exit === null ? { end } : { end, exit };
}

function causeOfExit(exit: ExitRecord | null, tail: string): AttemptError {
  if (exit === null) return { code: "runner", message: "The process for handlers could not be started." };
  if (/heap out of memory|Allocation failed/.test(tail)) {
    return {
      code: "out-of-memory",
      message: "The handler used up the memory of its process (JavaScript heap out of memory).",
    };
  }
  if (exit.signal !== null) {
    const hint = exit.signal === "SIGKILL" ? "; the system may have run out of memory" : "";
    return { code: "signal", message: `The handler's process was ended by ${exit.signal}${hint}.` };
  }
  const message = `The handler's process ended with exit code ${exit.code} before the handler did. A handler must not call process.exit().`;
  return { code: "exit", message };
}

function describeExit({ code, signal }: ExitRecord): string {
  return signal === null ? `exit code ${code}` : signal;
}
