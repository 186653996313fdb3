/** What a run of `outlast chaos` is asked for. */
import type { Output } from "../../cli/output.ts";
import type { Weights } from "./faults.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults are injected, without the start before and the recovery after. */
  readonly durationMs: number;
  /** Masters that somebody else runs: nothing is started and nothing hit; null for a cluster of the run's own. */
  readonly mastersAt: readonly string[] | null;
  /** What those ask for. */
  readonly token: string | null;
  readonly masters: number;
  readonly workers: number;
  /** Slots of each worker. */
  readonly capacity: number;
  readonly clients: number;
  /** Tasks a second, from all clients together. */
  readonly rate: number;
  readonly weights: Weights;
  /** Where the masters keep their store, if it is not a file of the run's own; and the command that serves it, if that is to be hit too. */
  readonly store: { readonly address: string; readonly server: string | null } | null;
  /** Nothing but SIGKILL, to leaders and workers, as fast as the cluster recovers. */
  readonly isKillsOnly: boolean;
  readonly directory: string;
  /** The command that draws the same faults again. */
  readonly repeat: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}
