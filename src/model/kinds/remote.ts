/** The kind `remote`: a job that runs at a service which operators have described to workers. Its executor is `src/worker/executors/remote.ts`. */
import type { Json } from "../json.ts";
import { limits } from "../limits.ts";
import { closed, limitKeyword } from "../schema.ts";
import type { KindDefinition } from "./kind.ts";

export interface RemoteInput {
  /** The name under which workers know the service: the file that `--remote` names. */
  readonly service: string;
  /** What the service is told to run, as its operator has agreed on it. */
  readonly job?: Json;
}

/** The kind of tasks that masters create to stop a job whose task is over, where no worker is left that would. */
export const remoteStopKindName = "remote.stop";

/** A job of a service that is not known to have ended. */
export interface OpenRun {
  readonly service: string;
  /** What its start is repeated with. */
  readonly key: string;
  /** What the service calls it; left out while that is not known, nor whether it was started. */
  readonly handle?: string;
}

export const remoteNamePattern = `^[A-Za-z0-9][A-Za-z0-9._-]{0,${limits.remoteNameLengthMax - 1}}$`;

/** What tells a job from all others, also of other clusters. */
export const runKeyPattern = "^[a-z0-9-]{1,63}$";

/** The label of workers that can reach a service. */
export function remoteLabel(service: string): string {
  return `remote=${service}`;
}

export const remoteKind: KindDefinition = {
  name: "remote",
  inputName: "RemoteInput",
  inputSchema: closed(
    {
      service: {
        type: "string",
        pattern: remoteNamePattern,
        [limitKeyword]: "remoteNameLengthMax",
        description: "The name under which workers know the service; one of them is needed that does.",
      },
    },
    { job: { description: "What the service is told to run. Any JSON." } },
    { examples: [{ service: "batch", job: { definition: "nightly" } }] },
  ),
  workerCommand: "outlast worker --remote FILE",
  labels: ({ service }) => (typeof service === "string" ? [remoteLabel(service)] : []),
  describe: ({ service }) => (typeof service === "string" ? `remote ${service}` : null),
};
