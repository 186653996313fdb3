/** Runs the kind `remote`: a job of a service. It outlives this worker: the next attempt takes it up. */
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type IssuedAttempt, unsupportedKind } from "../../model/protocol.ts";
import type { Backend } from "../../ports/backend.ts";
import { isObject, isText, type KindRunner } from "./kindRunner.ts";
import { RunAttempt } from "./runAttempt.ts";
import { runKey } from "./runKey.ts";
import { RunSteps } from "./runSteps.ts";

/** A service that this worker can reach. */
export interface RemoteHost {
  readonly backend: Backend;
  /** How often it is asked how a run is. */
  readonly pollMs: number;
}

/** @param services by the names that tasks call them */
export function remoteRunner(services: ReadonlyMap<string, RemoteHost>): KindRunner {
  return {
    name: "remote",

    start({ task, attempt: number, assignedAt, input }, machine, onEnd, session) {
      if (!isRemoteInput(input)) return "invalid";
      const { clock, log, boot } = machine;
      const host = services.get(input.service);
      if (host === undefined) {
        // Its label is required, so only a master of another version sends this.
        const message = `This worker does not know the service ${input.service}.`;
        const now = clock.now();
        onEnd({ outcome: "aborted", startedAt: now, endedAt: now, error: { code: unsupportedKind, message } });
        return null;
      }
      const attempt: IssuedAttempt = { task, attempt: number, assignedAt };
      const running = new RunAttempt({
        ...{ attempt, clock, log, backend: host.backend },
        order: { task, attempt: number, input, key: runKey(attempt, boot), environment: {} },
        steps: new RunSteps(session),
        settings: {
          pollMs: host.pollMs,
          retryBaseMs: defaults.runRetryBaseMs,
          retryMaxMs: defaults.runRetryMaxMs,
          startTriesMax: defaults.remoteStartTriesMax,
          stopMsMax: limits.runStopMsMax,
          logMsMax: limits.runLogMsMax,
        },
        tell: (text) => session.tell({ kind: "progress", done: 0, text, at: clock.now() }),
        onOutput: (bytes) => machine.onOutput(attempt, bytes),
      });
      void running.run().then(onEnd);
      return running;
    },
  };
}

function isRemoteInput(input: Json): input is Json & { readonly service: string } {
  return isObject(input) && isText(input["service"]);
}
