/** Runs the kind `remote`: a job of a service, which outlives this worker and which the next attempt takes up. Stops jobs that nobody takes up. */
import type { Json, JsonObject } from "../../model/json.ts";
import { remoteStopKindName } from "../../model/kinds/remote.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type Assignment, type AttemptEnd, type IssuedAttempt, unsupportedKind } from "../../model/protocol.ts";
import type { Backend } from "../../ports/backend.ts";
import type { Clock } from "../../ports/clock.ts";
import type { AttemptSession } from "../../ports/work.ts";
import { isObject, isText, type KindRunner, type Machine, type RunningAttempt } from "./kindRunner.ts";
import { RunAttempt, type RunSettings } from "./runAttempt.ts";
import { runKey } from "./runKey.ts";
import { RunSteps } from "./runSteps.ts";

/** A service that this worker can reach. */
export interface RemoteHost {
  readonly backend: Backend;
  /** How often it is asked how a run is. */
  readonly pollMs: number;
}

/** A `KindRunner` that needs little of its machine: the work is done elsewhere. */
export interface RemoteKindRunner extends KindRunner {
  start(
    assignment: Assignment,
    machine: Pick<Machine, "clock" | "log" | "boot" | "onOutput">,
    onEnd: (end: AttemptEnd) => void,
    session: AttemptSession,
  ): RunningAttempt | null | "invalid";
}

/** @param services by the names that tasks call them */
export function remoteRunner(services: ReadonlyMap<string, RemoteHost>): RemoteKindRunner {
  return {
    name: "remote",

    start({ task, attempt: number, assignedAt, input }, machine, onEnd, session) {
      if (!isRemoteInput(input)) return "invalid";
      const { clock, log, boot } = machine;
      const host = services.get(input.service);
      if (host === undefined) return refuseUnknown(input.service, clock, onEnd);
      const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
      const running = new RunAttempt({
        ...{ attempt, clock, log, backend: host.backend },
        order: { task, attempt: number, input, key: runKey(attempt, boot), environment: {} },
        steps: new RunSteps(session, input.service),
        settings: settingsFor(host),
        tell: (text) => session.tell({ kind: "progress", done: 0, text, at: clock.now() }),
        onOutput: (bytes) => machine.onOutput(attempt, bytes),
      });
      void running.run().then(onEnd);
      return running;
    },
  };
}

/** Tasks of this kind are made by masters: they stop a job whose task has ended. */
export function remoteStopRunner(services: ReadonlyMap<string, RemoteHost>): RemoteKindRunner {
  return {
    name: remoteStopKindName,

    start({ task, attempt: number, assignedAt, input }, machine, onEnd, session) {
      if (!isRemoteInput(input) || !isText(input["key"])) return "invalid";
      const { clock, log } = machine;
      const host = services.get(input.service);
      if (host === undefined) return refuseUnknown(input.service, clock, onEnd);
      const { key, handle } = input;
      const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
      const running = new RunAttempt({
        ...{ attempt, clock, log, backend: host.backend },
        order: { task, attempt: number, input, key, environment: {} },
        steps: null,
        settings: settingsFor(host),
        tell: (text) => session.tell({ kind: "progress", done: 0, text, at: clock.now() }),
        onOutput: () => {},
      });
      void running.stop(isText(handle) ? { key, id: handle } : null).then(onEnd);
      return running;
    },
  };
}

function settingsFor({ pollMs }: RemoteHost): RunSettings {
  return {
    pollMs,
    retryBaseMs: defaults.runRetryBaseMs,
    retryMaxMs: defaults.runRetryMaxMs,
    startTriesMax: defaults.remoteStartTriesMax,
    stopMsMax: limits.runStopMsMax,
    logMsMax: limits.runLogMsMax,
  };
}

/** Its label is required, so only a master of another version sends a task for a service that this worker does not know. */
function refuseUnknown(service: string, clock: Clock, onEnd: (end: AttemptEnd) => void): null {
  const error = { code: unsupportedKind, message: `This worker does not know the service ${service}.` };
  const now = clock.now();
  onEnd({ outcome: "aborted", startedAt: now, endedAt: now, error });
  return null;
}

function isRemoteInput(input: Json): input is JsonObject & { readonly service: string } {
  return isObject(input) && isText(input["service"]);
}
