/** Counts what a master does, as a leader and as a standby, for metrics. */
import { limits } from "../model/limits.ts";
import { quantile } from "../model/quantile.ts";
import type { CommitTimes } from "./face.ts";

export class LoopStats {
  commits = 0;
  inputs = 0;
  writes = 0;
  /** How often a standby found that its memory was not the leader's. */
  drifts = 0;
  /** Markers that were seen to go into the journal, this master's own among them. */
  elections = 0;
  roleChanges = 0;
  readonly #commitMs: number[] = [];

  noteBatch(inputs: number, writes: number): void {
    this.inputs += inputs;
    this.writes += writes;
  }

  noteCommit(tookMs: number): void {
    this.#commitMs[this.commits % limits.commitSamplesMax] = tookMs;
    this.commits += 1;
  }

  /** All but one in a hundred of the last commits took no longer, in ms; null while there are too few to tell. */
  slowCommitMs(): number | null {
    return this.#commitMs.length < limits.slowCommitSamplesMin ? null : this.commitMs().p99;
  }

  commitMs(): CommitTimes {
    const ascending = this.#commitMs.toSorted((a, b) => a - b);
    return {
      p50: quantile(ascending, 0.5),
      p90: quantile(ascending, 0.9),
      p99: quantile(ascending, 0.99),
      max: quantile(ascending, 1),
    };
  }
}
