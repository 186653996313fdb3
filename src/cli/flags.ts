/** The options of commands that are implemented in another file. */

import type { Json } from "../model/json.ts";
import type { TaskState } from "../model/task.ts";
import type { WaitingReason } from "../model/waiting.ts";
import type { ListFilter } from "../sdk/lists.ts";
import type { ClusterFlags, ContainerFlags, LogFlags, MasterCountFlags } from "./serverOptions.ts";
import type { FieldFlags } from "./submitOptions.ts";
import type { TlsFlags } from "./tlsFiles.ts";

export interface MasterFlags extends LogFlags, ClusterFlags, TlsFlags {
  readonly store?: string;
  /** See `openBlobs.ts`. */
  readonly blobs?: string;
  readonly data: string;
  readonly address: string;
  readonly port: number;
  readonly name?: string;
  readonly advertise?: string;
  readonly webhookPrivate?: boolean;
  readonly behindProxy?: boolean;
  readonly hostNames?: readonly string[];
  readonly otlpEndpoint?: string;
  readonly stopOnStdinEnd?: boolean;
  readonly allowFaults?: boolean;
}

export interface WorkerFlags extends LogFlags, ContainerFlags {
  readonly tasks?: readonly string[];
  readonly httpPrivate?: boolean;
  readonly jobsUseS3?: boolean;
  readonly jobsWarm?: boolean;
  readonly remote?: readonly string[];
  readonly otlpEndpoint?: string;
  readonly name?: string;
  readonly capacity: number;
  readonly queues: readonly string[];
  readonly labels?: readonly string[];
  readonly runAs?: string;
  /** The old spelling of `healthPort`, on one address. */
  readonly metricsPort?: number;
  readonly metricsAddress: string;
  readonly data: string;
  readonly drainTimeout: number;
  readonly healthPort?: number;
  readonly stopOnStdinEnd?: boolean;
  readonly allowFaults?: boolean;
}

export interface UpFlags extends LogFlags, ContainerFlags, ClusterFlags, MasterCountFlags, TlsFlags {
  readonly tasks?: readonly string[];
  readonly httpPrivate?: boolean;
  readonly jobsUseS3?: boolean;
  readonly remote?: readonly string[];
  readonly webhookPrivate?: boolean;
  readonly otlpEndpoint?: string;
  readonly store?: string;
  /** See `openBlobs.ts`. */
  readonly blobs?: string;
  readonly workers: number;
  readonly runAs?: string;
  readonly capacity: number;
  readonly queues: readonly string[];
  readonly data: string;
  readonly address: string;
  readonly port: number;
  readonly behindProxy?: boolean;
  readonly hostNames?: readonly string[];
  readonly drainTimeout: number;
}

/** Which tasks. */
export interface FilterFlags {
  readonly state?: readonly TaskState[];
  readonly queue?: string;
  readonly name?: string;
  readonly host?: string;
  readonly parent?: string;
  readonly roots?: boolean;
}

export interface ListFlags extends FilterFlags {
  readonly waiting?: WaitingReason;
  readonly limit: number;
  readonly all?: boolean;
  readonly watch?: boolean;
}

export function toFilter(flags: FilterFlags): ListFilter {
  const { state, queue, name, host, parent, roots } = flags;
  return {
    ...(state === undefined ? {} : { states: state }),
    ...(queue === undefined ? {} : { queue }),
    ...(name === undefined ? {} : { name }),
    ...(host === undefined ? {} : { host }),
    ...(parent === undefined ? {} : { parent }),
    ...(roots === undefined ? {} : { roots }),
  };
}

export interface MapReduceFlags extends Pick<FieldFlags, "queue" | "priority" | "requires" | "deadline" | "after"> {
  readonly corpus?: readonly string[];
  readonly maps?: number;
  readonly reduces?: number;
  readonly output?: string;
  readonly overwrite?: boolean;
  readonly job?: string;
  readonly params?: Json;
  readonly compression?: "zstd" | "deflate" | "none";
  readonly id?: string;
  readonly name?: string;
  readonly local?: boolean;
  readonly workers?: number;
  readonly detach?: boolean;
}
