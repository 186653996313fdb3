/** A place other than this machine for a run's processes, with what it needs besides them and what it promises on top. */
import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterHost } from "../cluster/clusterHost.ts";
import type { Check } from "./check.ts";

export interface RunPlace {
  readonly host: ClusterHost;
  /** What clients show to the masters. */
  readonly token: string;
  /** Makes it ready for the first process; logs of what it starts itself go into the folder. */
  open(logDirectory: string, signal: AbortSignal): Promise<void>;
  /** What else is promised there, checked while all processes are up. */
  checks(cluster: Cluster): Promise<readonly Check[]>;
  /** The tasks as its store holds them: one line of JSON each; null where only the API tells. */
  tasksText(): Promise<string | null>;
  /** Ends all that it has started. */
  close(): Promise<void>;
}
