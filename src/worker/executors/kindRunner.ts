/** What makes a kind of task run on a worker: one file per kind beside this one, and a table of them in `executor.ts`. */
import type { Json, JsonObject } from "../../model/json.ts";
import type { AbortCause, Assignment, AttemptEnd, IssuedAttempt } from "../../model/protocol.ts";
import type { BlobAccess } from "../../ports/blobs.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Processes } from "../../ports/processes.ts";
import type { AttemptSession } from "../../ports/work.ts";
import type { AttemptFolders } from "../folders/attemptFolder.ts";
import type { AttemptServer } from "./attemptServer.ts";
import type { Environment, ExecutorIdentity } from "./environment.ts";
import type { Watchdog } from "./watchdog.ts";

export interface KindRunner {
  readonly name: string;
  /**
   * Starts an attempt. `onEnd` must be called exactly once, when no process of the attempt is alive; it may be called before
   * this returns. Must not throw.
   * @returns the running attempt; null if it has ended already; `invalid` if the input is not one of this kind: `onEnd` is not
   * called then
   */
  start(
    assignment: Assignment,
    machine: Machine,
    onEnd: (end: AttemptEnd) => void,
    session: AttemptSession,
  ): RunningAttempt | null | "invalid";
}

/** An attempt that has not ended. */
export interface RunningAttempt {
  /** Ends the attempt, at the latest after `graceMs`. A later call can only make that sooner. */
  abort(graceMs: number, cause: AbortCause): void;
}

/** What a kind needs of the machine that it runs on. */
export interface Machine extends ExecutorIdentity {
  readonly clock: Clock;
  readonly log: Log;
  readonly processes: Processes;
  readonly watchdog: Watchdog;
  /** The part of the worker's environment that commands may see. */
  readonly commandEnvironment: Environment;
  /** How files of masters are reached; null for a worker that cannot. */
  readonly blobs: BlobAccess | null;
  /** Where attempts have folders of their own; null for a worker without such a place. */
  readonly attemptFolders: AttemptFolders | null;
  /** How commands talk with the leaders of their tasks; null for a worker that does not offer that. */
  readonly attemptServer: AttemptServer | null;
  /** Where commands run that do not say where; absolute. A task's relative `cwd` starts here. */
  readonly directory: string;
  /** True if tasks of kind `http` may call private addresses. */
  readonly allowsPrivateHttp: boolean;
  /**
   * True if this worker was told to stop a short while ago by a signal that may have reached its commands, too: a service
   * manager signals every process of a service.
   */
  wasSignalled(): boolean;
  /** Output of an attempt. While a returned promise is pending, the process is held up by its full pipe. */
  onOutput(attempt: IssuedAttempt, bytes: Uint8Array): void | Promise<void>;
}

export function isText(value: Json | undefined): value is string {
  return typeof value === "string";
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
