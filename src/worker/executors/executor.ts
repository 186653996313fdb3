/** Runs attempts on this machine: finds what runs a kind, keeps what has not ended, and aborts it. */
import { attemptKey } from "../../model/ids.ts";
import { mapKindName, mapReduceKindName, reduceKindName } from "../../model/kinds/mapReduce.ts";
import { defaults } from "../../model/limits.ts";
import type { AbortCause, Assignment, AttemptEnd, AttemptRef, IssuedAttempt } from "../../model/protocol.ts";
import type { Backend } from "../../ports/backend.ts";
import type { BlobAccess } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Processes } from "../../ports/processes.ts";
import type { AttemptSession, Executor } from "../../ports/work.ts";
import type { AttemptFolders } from "../folders/attemptFolder.ts";
import { type InlineHandlers, inlineRunner } from "../runners/inlineRunner.ts";
import { pooledRunner, RunnerPool } from "../runners/runnerPool.ts";
import { AttemptServer, type SocketPlace } from "./attemptServer.ts";
import { containerRunner } from "./container.ts";
import {
  bootMarks,
  type Environment,
  type ExecutorIdentity,
  inheritedEnvironment,
  workerMarks,
} from "./environment.ts";
import { execRunner } from "./exec.ts";
import { httpRunner } from "./http.ts";
import type { KindRunner, Machine, RunningAttempt } from "./kindRunner.ts";
import { type RemoteHost, remoteRunner, remoteStopRunner } from "./remote.ts";
import { sleepRunner } from "./sleep.ts";
import { Watchdog, type WatchedEngine } from "./watchdog.ts";

/** How each built-in kind runs. */
const builtIn: readonly KindRunner[] = [sleepRunner, execRunner, httpRunner];

export interface ExecutorOptions extends ExecutorIdentity {
  readonly clock: Clock;
  readonly log: Log;
  readonly processes: Processes;
  /** The worker's own environment, of which commands see a little. */
  readonly environment: { readonly [name: string]: string | undefined };
  /** Where commands run that do not say where; absolute. A task's relative `cwd` starts here. */
  readonly directory: string;
  /** True if tasks of kind `http` may call private addresses. */
  readonly allowsPrivateHttp?: boolean;
  /** Services whose jobs tasks may be, by their names; left out if there are none. */
  readonly remotes?: ReadonlyMap<string, RemoteHost>;
  /** What runs containers here; null for a worker that runs none. */
  readonly containers?: ContainerHost | null;
  /** How files of masters are reached; left out for a worker that cannot. */
  readonly blobs?: BlobAccess;
  /** Where attempts have folders of their own; they are emptied at the start. Left out: attempts have none. */
  readonly attemptFolders?: AttemptFolders;
  /** The socket by which commands can remember steps, make children and tell their progress. Left out: they cannot. */
  readonly attemptSocket?: SocketPlace;
  /** The handlers that this worker has; null for none. */
  readonly handlers?: HandlerOptions | null;
  /** Runs MapReduce jobs; null for a worker without them. */
  readonly mapReduce?: MapReduceOptions | null;
  /** Output of an attempt. While a returned promise is pending, the process is held up by its full pipe. */
  onOutput(attempt: IssuedAttempt, bytes: Uint8Array): void | Promise<void>;
}

export interface ContainerHost {
  readonly backend: Backend;
  /** What it runs, so that containers can be removed when this process dies. */
  readonly engine: WatchedEngine;
}

export interface HandlerOptions {
  /** Starts a process that loads the task files and runs handlers (`FromRunner`, `ToRunner`): a program and its arguments. */
  readonly argv: readonly string[];
  /** Added to the environment of these processes. */
  readonly environment?: Environment;
  /** Loads the task files into this process, for handlers that run inline. Called if there are any. */
  loadInline(): Promise<InlineHandlers>;
}

export interface MapReduceOptions extends Omit<HandlerOptions, "loadInline"> {
  /** A process for jobs is started with the worker. Otherwise the first job starts it, and a worker that gets none has none. */
  readonly isWarm?: boolean;
}

export class ProcessExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #machine: Machine;
  readonly #kinds: Map<string, KindRunner> = new Map(builtIn.map((kind) => [kind.name, kind]));
  readonly #running = new Map<string, RunningAttempt>();
  #pool: RunnerPool | null = null;
  #mapReducePool: RunnerPool | null = null;
  #isStopping = false;
  #signalledAt = Number.NEGATIVE_INFINITY;
  #onEmpty: () => void = () => {};

  constructor(options: ExecutorOptions) {
    this.#options = options;
    const { worker, boot, home, processes, clock, log, directory, allowsPrivateHttp = false } = options;
    const commandEnvironment = inheritedEnvironment(options.environment);
    const [mark = ""] = bootMarks(options);
    const { containers = null } = options;
    const engine = containers?.engine ?? null;
    const watchdog = new Watchdog({ mark, engine, path: commandEnvironment["PATH"] ?? "", processes, clock, log });
    if (containers !== null) this.#kinds.set("container", containerRunner(containers.backend));
    const { remotes = new Map<string, RemoteHost>() } = options;
    if (remotes.size > 0)
      for (const kind of [remoteRunner(remotes), remoteStopRunner(remotes)]) this.#kinds.set(kind.name, kind);
    const onOutput = (attempt: IssuedAttempt, bytes: Uint8Array) => options.onOutput(attempt, bytes);
    const identity = { worker, boot, home };
    const wasSignalled = () => clock.now() - this.#signalledAt < defaults.stopSharedMs;
    this.#machine = {
      ...identity,
      ...{ clock, log, processes, watchdog, commandEnvironment, directory, allowsPrivateHttp, wasSignalled, onOutput },
      blobs: options.blobs ?? null,
      attemptFolders: options.attemptFolders ?? null,
      attemptServer: options.attemptSocket === undefined ? null : new AttemptServer(options.attemptSocket, clock),
    };
    const { mapReduce = null } = options;
    if (mapReduce !== null) this.#addMapReduce(mapReduce);
  }

  /** Its processes run code of whoever submits, so they see what commands see. */
  #addMapReduce({ argv, environment }: MapReduceOptions): void {
    const pool = new RunnerPool({
      machine: this.#machine,
      argv,
      environment: { ...environment, ...this.#machine.commandEnvironment },
    });
    this.#mapReducePool = pool;
    for (const name of [mapReduceKindName, mapKindName, reduceKindName])
      this.#kinds.set(name, pooledRunner(name, pool));
  }

  get kinds(): readonly string[] {
    return [...this.#kinds.keys()];
  }

  /**
   * Kills what an earlier life of this worker left running. Must have resolved before the worker attaches: from then on those
   * attempts may run elsewhere. Then loads the handlers.
   * @throws UnloadableTasks if they cannot be loaded
   */
  async open(): Promise<void> {
    const { log, processes, worker } = this.#options;
    const { killed, left, isComplete } = await processes.killAll(workerMarks(this.#options), null);
    if (!isComplete) log.warn("This machine could not be searched for processes of an earlier life.", { worker });
    if (killed > 0) log.info("Killed what an earlier life of this worker had left running.", { worker, killed });
    if (left.length > 0) log.warn("Processes of an earlier life cannot be killed.", { worker, pids: left });
    const { handlers = null, attemptFolders, containers = null } = this.#options;
    if (containers !== null) await this.#removeContainers(containers.backend);
    await attemptFolders?.clear();
    await this.#machine.attemptServer?.open().catch((error: unknown) => {
      log.warn("commands cannot talk with their tasks: their socket cannot be opened", { worker, error });
    });
    if (this.#options.mapReduce?.isWarm === true) this.#mapReducePool?.warm();
    if (handlers !== null) await this.#loadHandlers(handlers);
  }

  /** Of earlier lives. */
  async #removeContainers(backend: Backend): Promise<void> {
    const { log, worker } = this.#options;
    const left = (await backend.list()) ?? [];
    for (const handle of left) {
      await backend.stop(handle, 0);
      await backend.forget(handle);
    }
    if (left.length > 0)
      log.info("removed containers that an earlier life of this worker had left", { worker, removed: left.length });
  }

  async #loadHandlers(options: HandlerOptions): Promise<void> {
    const environment = { ...options.environment, ...this.#options.environment };
    const { argv } = options;
    this.#pool = new RunnerPool({ machine: this.#machine, argv, environment });
    const handlers = await this.#pool.open();
    const inline = handlers.some(({ runner }) => runner === "inline") ? await options.loadInline() : null;
    for (const { name, runner } of handlers) {
      if (runner === "process") this.#kinds.set(name, pooledRunner(name, this.#pool));
      else if (inline !== null) this.#kinds.set(name, inlineRunner(name, inline));
    }
  }

  start(assignment: Assignment, session: AttemptSession): void {
    const now = this.#options.clock.now();
    const refuse = (outcome: "aborted" | "failed", code: string, message: string) =>
      session.end({ outcome, startedAt: now, endedAt: now, error: { code, message } });
    if (this.#isStopping) return session.end({ outcome: "aborted", startedAt: now, endedAt: now });
    const kind = this.#kinds.get(assignment.kind);
    if (kind === undefined) {
      // The leader assigns by kind, so only a master of another version sends this. It is not the task's fault.
      return refuse("aborted", "unsupported", `This worker cannot run tasks of kind ${assignment.kind}.`);
    }
    const key = attemptKey(assignment.task, assignment.attempt);
    let hasEnded = false;
    const running = kind.start(
      assignment,
      this.#machine,
      (end: AttemptEnd) => {
        hasEnded = true;
        this.#remove(key);
        session.end(end);
      },
      session,
    );
    if (running === "invalid") {
      const message = `The input of this ${assignment.kind} task is not valid for this version of the worker.`;
      return refuse("failed", "invalid-input", message);
    }
    if (running !== null && !hasEnded) this.#running.set(key, running);
  }

  /** The worker's process was told to stop by a signal. */
  noteSignal(): void {
    this.#signalledAt = this.#options.clock.now();
  }

  /** Does nothing for an attempt that has ended. */
  abort({ task, attempt }: AttemptRef, graceMs: number, cause: AbortCause): void {
    this.#running.get(attemptKey(task, attempt))?.abort(graceMs, cause);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const running of [...this.#running.values()]) running.abort(0, "drain");
    if (this.#running.size > 0) {
      await new Promise<void>((done) => {
        this.#onEmpty = done;
      });
    }
    await this.#pool?.stop();
    await this.#mapReducePool?.stop();
    await this.#machine.attemptServer?.close();
    await this.#machine.watchdog.stop();
  }

  #remove(key: string): void {
    this.#running.delete(key);
    if (this.#running.size === 0) this.#onEmpty();
  }
}
