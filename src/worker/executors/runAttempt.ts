/** One attempt whose work a backend does: it starts the run or takes it up, watches it, passes its output on, and stops it if nobody wants it any more. */
import { defaults } from "../../model/limits.ts";
import type { AbortCause, AttemptEnd, IssuedAttempt } from "../../model/protocol.ts";
import { machineFault, runStopped } from "../../model/protocol.ts";
import {
  type Backend,
  BackendTrouble,
  type RunHandle,
  type RunOrder,
  RunRefused,
  type RunState,
} from "../../ports/backend.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { AttemptOver } from "../../ports/work.ts";
import { RunLog, type RunLogSettings } from "./runLog.ts";
import { type BookedRun, type RunEnd, type RunSteps, StepRefused } from "./runSteps.ts";

export interface RunAttemptParts {
  readonly attempt: IssuedAttempt;
  readonly backend: Backend;
  /** What is ordered if a run must be started; its key is that of a run that this attempt begins itself. */
  readonly order: RunOrder;
  /** What the task remembers of its runs: they outlive this worker. Null: a run ends with its attempt, whatever ends that. */
  readonly steps: RunSteps | null;
  readonly settings: RunSettings;
  readonly clock: Clock;
  readonly log: Log;
  /** Must have resolved before a run is started. */
  ready?(): Promise<void>;
  /** Shows people how the run is. */
  tell(text: string): void;
  onOutput(bytes: Uint8Array): void | Promise<void>;
}

export interface RunSettings extends RunLogSettings {
  /** Waits after a backend did not answer, doubling. */
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** How often a start is tried in one attempt. */
  readonly startTriesMax: number;
  /** How long a run is waited for after it was stopped, beyond its grace. */
  readonly stopMsMax: number;
}

type End = Pick<AttemptEnd, "outcome" | "output" | "error" | "exit">;

const aborted: End = { outcome: "aborted" };
/** The same, of an attempt that has seen its run end. */
const stopped: End = { outcome: "aborted", error: { code: runStopped, message: "Its run was stopped." } };

/** This worker lets go of the run, which goes on. */
class LeftRunning extends Error {}

export class RunAttempt {
  readonly #parts: RunAttemptParts;
  readonly #abortion = new AbortController();
  readonly #left = Promise.withResolvers<never>();
  #isLeft = false;
  #isStopped = false;
  /** All that it does is stop a run. */
  #isStopOnly = false;
  /** A run may have been started. */
  #hasTried = false;
  /** When the run will be killed because of `abort`. */
  #killAt = Number.POSITIVE_INFINITY;
  #handle: RunHandle | null = null;
  #log: RunLog | null = null;
  #told = "";
  /** Ends the present wait, or the next one. */
  #wake: (() => void) | null = null;
  #isWoken = false;

  constructor(parts: RunAttemptParts) {
    this.#parts = parts;
    this.#left.promise.catch(() => undefined);
  }

  /** Resolves when the run has ended, or goes on without this attempt. Never rejects. Call it once. */
  async run(): Promise<AttemptEnd> {
    const { clock } = this.#parts;
    const startedAt = clock.now();
    const end = await Promise.race([this.#run(), this.#left.promise]).catch((error: unknown) => this.#judge(error));
    return { ...end, startedAt, endedAt: clock.now() };
  }

  /**
   * Stops a run of a task that is over, once and for all. Resolves when it has ended; a failure is tried again. Never rejects. Call it
   * instead of `run`.
   * @param known null if it is not known whether it was started: it is looked for by the key of the order
   */
  async stop(known: RunHandle | null): Promise<AttemptEnd> {
    const { clock } = this.#parts;
    const startedAt = clock.now();
    this.#isStopOnly = true;
    this.#isStopped = true;
    this.#hasTried = true;
    this.#killAt = startedAt;
    const end = await Promise.race([this.#stopOnly(known), this.#left.promise]).catch((error: unknown) =>
      this.#judge(error),
    );
    return { ...end, startedAt, endedAt: clock.now() };
  }

  async #stopOnly(known: RunHandle | null): Promise<End> {
    const { order, attempt, backend } = this.#parts;
    if (known === null && (await backend.list()) === null) {
      const message = `Whether its service runs a job with the key ${order.key} cannot be told: it has no \`list\`.`;
      return failure("non-retryable", message);
    }
    const { handle, isOver } = await this.#end({ number: attempt.attempt, key: order.key, handle: known }, known);
    if (!isOver) return failure("backend", "The job could not be stopped, or its end could not be seen.");
    if (handle !== null) await this.#forget(handle);
    return { outcome: "success", output: { wasFound: handle !== null } };
  }

  /** A run that outlives its worker is stopped only if nobody wants it any more. */
  abort(graceMs: number, cause: AbortCause): void {
    const { clock, steps, backend } = this.#parts;
    const isWanted = cause === "killed" || cause === "drain";
    if (this.#isStopOnly || (isWanted && steps !== null)) {
      // Also in the midst of a stop: the next attempt stops it, or sees that it has ended.
      this.#isLeft = true;
      this.#left.reject(new LeftRunning());
      this.#log?.leave();
      this.#hurry();
      return;
    }
    const isLater = this.#isStopped;
    const killAt = clock.now() + graceMs;
    if (isLater && killAt >= this.#killAt) return;
    this.#isStopped = true;
    this.#killAt = killAt;
    this.#abortion.abort();
    this.#hurry();
    if (isLater && this.#handle !== null) void backend.stop(this.#handle, graceMs).catch(() => undefined);
  }

  async #run(): Promise<End> {
    await this.#parts.ready?.();
    for (;;) {
      const { run, end } = await this.#book();
      if (end !== null) return this.#report(end);
      const isTakenUp = run.number !== this.#parts.attempt.attempt;
      const handle = run.handle ?? (await this.#start(run));
      const state = handle === null ? null : await this.#follow(handle, isTakenUp);
      if (handle === null || state === null) return this.#stop(run, handle);
      await this.#log?.end();
      await this.#parts.steps?.noteEnd(run, state);
      await this.#forget(handle);
      // Somebody has ended it while no worker watched it, or its service has lost it: that is no failure of the task.
      const isVoid = state.kind === "gone" || (state.kind === "ended" && state.outcome === "stopped");
      if (!(isTakenUp && isVoid)) return this.#report(state);
    }
  }

  /** The run that is to be taken up, or a new one. */
  async #book(): Promise<{ readonly run: BookedRun; readonly end: RunEnd | null }> {
    const { steps, attempt, order } = this.#parts;
    const latest = (await steps?.findLatest()) ?? null;
    if (latest !== null && latest.end === null) return latest;
    // Its worker may have died before it could do that.
    if (latest !== null && latest.run.handle !== null && !latest.isLeft) await this.#forget(latest.run.handle);
    if (latest?.end?.kind === "ended" && latest.end.outcome === "success") return latest;
    const run: BookedRun = { number: attempt.attempt, key: order.key, handle: null };
    await steps?.begin(run);
    return { run, end: null };
  }

  /** @returns null if it was stopped before it is known whether it was started */
  async #start(run: BookedRun): Promise<RunHandle | null> {
    const { backend, order, steps, settings } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      if (this.#isStopped) return null;
      this.#hasTried = true;
      try {
        const handle = await backend.start({ ...order, key: run.key }, this.#abortion.signal);
        // Before anything else: from here on every later attempt knows it.
        await steps?.noteHandle(run, handle).catch((error: unknown) => {
          // What was cancelled while it was started must be stopped now.
          if (!(this.#isStopped && error instanceof AttemptOver)) throw error;
        });
        return handle;
      } catch (error) {
        if (error instanceof RunRefused) await steps?.noteEnd(run, { kind: "refused", message: error.message });
        if (!(error instanceof BackendTrouble)) throw error;
        if (this.#isStopped) return null;
        if (tries >= settings.startTriesMax) throw error;
        this.#tell(`cannot be started yet: ${error.message}`);
        await this.#pause(this.#backOff(tries));
      }
    }
  }

  /** @returns how it ended; null if it is to be stopped */
  async #follow(handle: RunHandle, isTakenUp: boolean): Promise<RunEnd | null> {
    const { backend, settings } = this.#parts;
    if (isTakenUp) this.#note("takes up a run that an earlier attempt has begun", handle);
    this.#handle = handle;
    this.#log = new RunLog({
      ...this.#parts,
      handle,
      onOutput: (bytes) => this.#parts.onOutput(bytes),
      onPause: () => this.#hurry(),
    });
    this.#log.start();
    for (let unknown = 0; !this.#isStopped; ) {
      const state = await backend.inspect(handle);
      if (this.#isStopped) return null;
      if (state.kind === "ended" || state.kind === "gone") return state;
      unknown = state.kind === "unknown" ? unknown + 1 : 0;
      this.#tell(state.kind === "unknown" ? `unknown: ${state.message}` : state.kind);
      await this.#pause(unknown > 0 ? this.#backOff(unknown) : settings.pollMs);
    }
    return null;
  }

  /** Stops a run that nobody wants any more, and waits for its end. */
  async #stop(run: BookedRun, known: RunHandle | null): Promise<End> {
    const { steps } = this.#parts;
    const { handle, isOver } = await this.#end(run, known);
    await this.#log?.end();
    // An attempt that the leader has given up already is told that it is over; all else is done.
    const noted = isOver ? steps?.noteEnd(run, { kind: "ended", outcome: "stopped" }) : steps?.noteLeft(run);
    await noted?.catch(ignoreOver);
    if (!isOver) return aborted;
    if (handle !== null) await this.#forget(handle);
    return steps === null ? aborted : stopped;
  }

  /** @returns what there was to be stopped, and whether it has ended as far as can be told */
  async #end(
    run: BookedRun,
    known: RunHandle | null,
  ): Promise<{ readonly handle: RunHandle | null; readonly isOver: boolean }> {
    const { backend, clock, settings, attempt, log } = this.#parts;
    let handle = known;
    if (handle === null && run.number === attempt.attempt && !this.#hasTried) return { handle, isOver: true };
    const beganAt = clock.now();
    for (let tries = 1; ; tries += 1) {
      try {
        // The start was broken off: if it has made a run, that is in the list.
        const runs = handle === null ? await backend.list() : [];
        if (runs === null) {
          log.warn("a run may have been started that cannot be found: its backend has no list", {
            ...attempt,
            key: run.key,
          });
          return { handle, isOver: false };
        }
        handle ??= runs.find(({ key }) => key === run.key) ?? null;
        if (handle === null) {
          // A start of another worker may be under way.
          if (this.#isStopOnly && clock.now() < beganAt + defaults.remoteCallTimeoutMs) {
            await this.#pause(this.#backOff(tries));
            continue;
          }
          log.warn("no run was found that could be stopped; perhaps none was started", { ...attempt, key: run.key });
          return { handle, isOver: true };
        }
        this.#handle = handle;
        await backend.stop(handle, Math.max(0, this.#killAt - clock.now()));
        const { kind } = await backend.inspect(handle);
        if (kind === "ended" || kind === "gone") return { handle, isOver: true };
      } catch (error) {
        if (!(error instanceof BackendTrouble)) throw error;
      }
      if (clock.now() >= this.#killAt + settings.stopMsMax) {
        log.warn("a run could not be stopped, or its end could not be seen", { ...attempt, key: run.key });
        return { handle, isOver: false };
      }
      await this.#pause(this.#backOff(tries));
    }
  }

  /** What cannot be removed stays where it is; a container is removed when its worker starts again. */
  async #forget(handle: RunHandle): Promise<void> {
    await this.#parts.backend.forget(handle).catch((error: unknown) => {
      if (!(error instanceof BackendTrouble)) throw error;
      this.#note(`what is left of a run could not be removed: ${error.message}`, handle);
    });
  }

  #report(end: RunEnd): End {
    switch (end.kind) {
      case "refused":
        return failure("refused", end.message);
      case "gone":
        return failure("lost", "The run is gone: its backend does not know it any more.");
      case "ended":
        return reportEnd(end);
      default:
        return end satisfies never;
    }
  }

  #judge(error: unknown): End {
    if (error instanceof LeftRunning || error instanceof AttemptOver) return aborted;
    if (error instanceof RunRefused) return failure(error.isFinal ? "non-retryable" : error.code, error.message);
    if (error instanceof StepRefused) return failure("non-retryable", error.message);
    if (!(error instanceof BackendTrouble)) throw error;
    if (this.#isStopOnly) return failure("backend", error.message);
    if (this.#isStopped) return aborted;
    // An engine is a part of this machine: elsewhere, or later, the same may well be started. A service is the same everywhere.
    if (this.#parts.steps !== null) return failure("backend", error.message);
    return { outcome: "aborted", error: { code: machineFault, message: error.message } };
  }

  #tell(text: string): void {
    if (text === this.#told) return;
    this.#told = text;
    this.#parts.tell(text);
  }

  #note(what: string, { key, id }: RunHandle): void {
    this.#parts.log.info(what, { ...this.#parts.attempt, key, id });
  }

  #backOff(tries: number): number {
    const { retryBaseMs, retryMaxMs } = this.#parts.settings;
    return Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(tries - 1, 30));
  }

  #hurry(): void {
    if (this.#wake === null) this.#isWoken = true;
    else this.#wake();
  }

  async #pause(ms: number): Promise<void> {
    const { clock } = this.#parts;
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        const timer = clock.at(clock.now() + ms, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#wake = null;
    this.#isWoken = false;
    if (this.#isLeft) throw new LeftRunning();
  }
}

function failure(code: string, message: string): End {
  return { outcome: "failed", error: { code, message } };
}

function reportEnd(end: Extract<RunState, { readonly kind: "ended" }>): End {
  const { outcome, exitCode, message, isOutOfMemory = false, output } = end;
  const exit = exitCode === undefined ? {} : { exit: { code: exitCode, signal: null } };
  if (outcome === "success") return { outcome: "success", ...exit, ...(output !== undefined && { output }) };
  if (outcome === "stopped") return { ...failure("stopped", "Somebody else has stopped the run."), ...exit };
  if (isOutOfMemory) return { ...failure("oom", "It was killed because it used more memory than it may."), ...exit };
  const why = message ?? (exitCode === undefined ? "The run has failed." : `It ended with exit code ${exitCode}.`);
  return { ...failure(exitCode === undefined ? "failed" : "exit", why), ...exit };
}

function ignoreOver(error: unknown): void {
  if (!(error instanceof AttemptOver) && !(error instanceof StepRefused)) throw error;
}
