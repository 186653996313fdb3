/** One command of an attempt, in its own process group, from its start until nothing of it is left. */

import { defaults } from "../../model/limits.ts";
import { type AttemptEnd, type AttemptRef, machineFault } from "../../model/protocol.ts";
import type { AttemptError, ExitRecord } from "../../model/task.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type GroupBounds, type Processes, type Remains, SpawnError } from "../../ports/processes.ts";
import type { Environment } from "./environment.ts";
import type { Watchdog } from "./watchdog.ts";

export interface CommandOptions {
  readonly attempt: AttemptRef;
  /** The program and its arguments. */
  readonly argv: readonly string[];
  /** What it reads from its stdin; null for nothing. Absolute. */
  readonly inputFile: string | null;
  /** What bounds it with all that it starts; what is left out has no bound. */
  readonly bounds: GroupBounds;
  readonly env: Environment;
  /** Absolute. */
  readonly cwd: string;
  /** Where commands run that do not say where. Absolute. */
  readonly home: string;
  /** What every process of the attempt carries in its environment. */
  readonly marks: readonly string[];
  /** A `moment` before the attempt had any process. */
  readonly since: number;
  readonly processes: Processes;
  readonly watchdog: Watchdog;
  readonly clock: Clock;
  readonly log: Log;
  /** True if this worker was told to stop a short while ago by a signal that may have reached the command, too. */
  wasSignalled(): boolean;
  onOutput(bytes: Uint8Array): void | Promise<void>;
}

/**
 * The life of a command:
 *
 * 1. it runs, until its own process exits, by itself or because of `abort`;
 * 2. its last output is waited for, for `defaults.outputDrainMs` at most, since a child it left behind may hold the pipe for ever
 *    (when it is aborted: for the rest of the grace, so that its children may use it too);
 * 3. its group is killed, and every process that carries its marks, unless it is known that none is left.
 */
export class CommandAttempt {
  readonly #options: CommandOptions;
  readonly #exited = Promise.withResolvers<ExitRecord>();
  readonly #outputEnded = Promise.withResolvers<void>();
  /** Resolves when the group has been killed. */
  readonly #cut = Promise.withResolvers<void>();
  /** Null before it runs, and once it is known to be empty: its number may be another's from then on. */
  #group: number | null = null;
  #mayHaveMore = true;
  #cutTimer: Timer | null = null;
  /** When the group will be killed because of `abort`; null if it was not aborted. */
  #killAt: number | null = null;

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Resolves when nothing of it is alive. Never rejects for what the command does. Call it once. */
  async run(): Promise<AttemptEnd> {
    const { clock, watchdog, processes } = this.#options;
    const startedAt = clock.now();
    await watchdog.ready();
    if (this.#killAt !== null) return { outcome: "aborted", startedAt, endedAt: clock.now() };
    try {
      const oomKillsBefore = processes.countOomKills();
      const child = await processes.spawn(this.#command(), {
        onOutput: (bytes) => this.#options.onOutput(bytes),
        onOutputEnd: () => this.#outputEnded.resolve(),
        onExit: (exit, remains) => this.#onExit(exit, remains),
      });
      this.#group = child.pid;
      watchdog.watch(child.pid);
      // It was aborted meanwhile, and may have begun long before this process heard of that.
      if (this.#killAt !== null) this.#terminate(child.pid, this.#killAt);
      const exit = await this.#exited.promise;
      await Promise.race([this.#outputEnded.promise, this.#cut.promise]);
      await this.#clearAway();
      watchdog.forget(child.pid);
      await this.#lastOutput();
      child.closeOutput();
      const met = await child.endBounds?.();
      const endedAt = clock.now();
      const isOom = isBySigkill(exit) && hasRisen(oomKillsBefore, processes.countOomKills());
      if (exit.code !== 0 && this.#killAt === null) await this.#waitForSignal();
      const judged = this.#judge(exit, { isOom, hasHitProcesses: met?.hasHitProcesses === true });
      const { bounds } = child;
      return { ...judged, startedAt, endedAt, exit: { ...exit, ...(bounds !== undefined && { bounds }) } };
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      const times = { startedAt, endedAt: clock.now() };
      if (this.#killAt !== null) return { outcome: "aborted", ...times };
      const { message } = error;
      if (error.fault === "task") return { outcome: "failed", error: { code: "spawn", message }, ...times };
      return { outcome: "aborted", error: { code: machineFault, message }, ...times };
    }
  }

  /** SIGTERM to its group now, SIGKILL after `graceMs`. A later call can only make that sooner. */
  abort(graceMs: number): void {
    const killAt = this.#options.clock.now() + graceMs;
    if (this.#killAt !== null && this.#killAt <= killAt) return;
    const isFirst = this.#killAt === null;
    this.#killAt = killAt;
    if (this.#group === null) return;
    if (isFirst) this.#terminate(this.#group, killAt);
    else this.#killBy(killAt);
  }

  #terminate(group: number, killAt: number): void {
    const { clock, processes } = this.#options;
    if (killAt > clock.now()) processes.signalGroup(group, "SIGTERM");
    this.#killBy(killAt);
  }

  #command() {
    const { argv, inputFile, bounds, env, cwd, home } = this.#options;
    const input = inputFile === null ? {} : { inputFile };
    return { argv, env, cwd, home, isTied: true, hasInput: false, ...bounds, ...input };
  }

  #onExit(exit: ExitRecord, { hasGroup, mayHaveMore }: Remains): void {
    const { clock } = this.#options;
    this.#mayHaveMore = mayHaveMore;
    if (!hasGroup) this.#group = null;
    if (this.#killAt === null) this.#killBy(clock.now() + defaults.outputDrainMs);
    this.#exited.resolve(exit);
  }

  /** Replaces the time set before. */
  #killBy(at: number): void {
    const { clock } = this.#options;
    this.#cutTimer?.cancel();
    if (at <= clock.now()) this.#kill();
    else this.#cutTimer = clock.at(at, () => this.#kill());
  }

  #kill(): void {
    if (this.#group !== null) this.#options.processes.signalGroup(this.#group, "SIGKILL");
    this.#cut.resolve();
  }

  /** Kills all that is left, in the group and out of it. */
  async #clearAway(): Promise<void> {
    const { processes, marks, since, attempt, log } = this.#options;
    this.#cutTimer?.cancel();
    this.#kill();
    if (!this.#mayHaveMore) return;
    const { killed, left, isComplete } = await processes.killAll(marks, this.#group, since);
    this.#group = null;
    if (!isComplete)
      log.warn("This machine could not be searched for processes that a command left behind.", { ...attempt });
    if (killed > 0) log.debug("Killed what a command had left behind.", { ...attempt, killed });
    if (left.length > 0) log.warn("Processes of a command cannot be killed.", { ...attempt, pids: left });
  }

  /** With everyone dead who could hold the pipe, its end comes at once; a bound for what cleared its environment and lives. */
  async #lastOutput(): Promise<void> {
    const { clock } = this.#options;
    const bound = Promise.withResolvers<void>();
    const timer = clock.at(clock.now() + defaults.outputDrainMs, bound.resolve);
    await Promise.race([this.#outputEnded.promise, bound.promise]);
    timer.cancel();
  }

  /** The command may have received the signal before this process has, and may have answered it with any code. */
  async #waitForSignal(): Promise<void> {
    const { clock } = this.#options;
    if (this.#options.wasSignalled()) return;
    await new Promise<void>((resolve) => clock.at(clock.now() + defaults.stopWaitMs, resolve));
  }

  #judge(exit: ExitRecord, { isOom, hasHitProcesses }: Met): Pick<AttemptEnd, "outcome"> & { error?: AttemptError } {
    if (this.#killAt !== null) return { outcome: "aborted" };
    if (exit.code === 0) return { outcome: "success" };
    // The signal that told this worker to stop has hit the command, too. That is not the task's failure.
    if (this.#options.wasSignalled()) return { outcome: "aborted" };
    if (isOom) {
      const message =
        "The command was ended by SIGKILL, and the kernel killed processes meanwhile because memory ran out.";
      return { outcome: "failed", error: { code: "oom", message } };
    }
    const { processesMax } = this.#options.bounds;
    const more = hasHitProcesses ? ` It could not start more than ${processesMax} processes (processesMax).` : "";
    const error =
      exit.signal === null
        ? { code: "exit", message: `The command ended with exit code ${exit.code}.${more}` }
        : { code: "signal", message: `The command was ended by ${exit.signal}.${more}` };
    return { outcome: "failed", error };
  }
}

/** What a command has run into. */
interface Met {
  readonly isOom: boolean;
  readonly hasHitProcesses: boolean;
}

function isBySigkill({ code, signal }: ExitRecord): boolean {
  return signal === "SIGKILL" || code === 137;
}

/** @param before null if it is not known */
export function hasRisen(before: number | null, after: number | null): boolean {
  return before !== null && after !== null && after > before;
}
