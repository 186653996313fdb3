/** Counts what the leader's loop does, for metrics. */
import { limits } from "../model/limits.ts";

export class LoopStats {
  commits = 0;
  inputs = 0;
  writes = 0;
  /** How often a standby found that its memory was not the leader's. */
  drifts = 0;
  readonly #commitMs: number[] = [];

  noteBatch(inputs: number, writes: number): void {
    this.inputs += inputs;
    this.writes += writes;
  }

  noteCommit(tookMs: number): void {
    this.#commitMs[this.commits % limits.commitSamplesMax] = tookMs;
    this.commits += 1;
  }

  /** How long the last commits took, in ms, ascending. */
  commitMs(): readonly number[] {
    return this.#commitMs.toSorted((a, b) => a - b);
  }
}
