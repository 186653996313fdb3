/** Statistics of a master, as leader and as standby. */
import type { TaskStep } from "../../core/scheduler/tasks.ts";
import { limits } from "../../model/limits.ts";
import { quantile } from "../../model/quantile.ts";
import { type FinalState, isFinal, type TaskState } from "../../model/task.ts";

/** How long the last `limits.commitSamplesMax` commits took, in ms; null before the first. */
export interface CommitTimes {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

interface CommitSample {
  readonly at: number;
  readonly tookMs: number;
}

/** Is told of what was committed, for metrics. Durations are in ms. */
export interface MasterObserver {
  committed(tookMs: number): void;
  /** An attempt was assigned after the task could have started for this long. */
  began(task: TaskLabels, waitedMs: number): void;
  /** An attempt ended, and the task is now in this state. */
  attemptEnded(task: TaskLabels, to: TaskState, ranMs: number): void;
  taskEnded(task: TaskLabels, state: FinalState): void;
}

export interface TaskLabels {
  readonly queue: string;
  readonly kind: string;
}

export class LoopStats {
  readonly observers: MasterObserver[] = [];
  commits = 0;
  inputs = 0;
  writes = 0;
  /** How often a standby found that its memory differed from the leader's. */
  drifts = 0;
  /** Markers seen in the journal, this master's own included. */
  elections = 0;
  roleChanges = 0;
  readonly #commits: CommitSample[] = [];

  noteBatch(inputs: number, writes: number): void {
    this.inputs += inputs;
    this.writes += writes;
  }

  noteCommit(at: number, tookMs: number): void {
    this.#commits[this.commits % limits.commitSamplesMax] = { at, tookMs };
    this.commits += 1;
    for (const observer of this.observers) observer.committed(tookMs);
  }

  /** These steps are committed. */
  noteSteps(now: number, steps: readonly TaskStep[]): void {
    for (const observer of this.observers) tellSteps(observer, now, steps);
  }

  /** All but one in a hundred of the last commits took no longer, in ms; null while there are too few young ones to tell. */
  slowCommitMs(now: number): number | null {
    const young = this.#commits.filter(({ at }) => now - at <= limits.slowCommitAgeMsMax);
    return young.length < limits.slowCommitSamplesMin ? null : quantile(ascending(young), 0.99);
  }

  commitMs(): CommitTimes {
    const sorted = ascending(this.#commits);
    return {
      p50: quantile(sorted, 0.5),
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
      max: quantile(sorted, 1),
    };
  }
}

function tellSteps(observer: MasterObserver, now: number, steps: readonly TaskStep[]): void {
  for (const step of steps) {
    const tookMs = Math.max(0, now - step.since);
    if (step.from === "running") observer.attemptEnded(step, step.to, tookMs);
    if (isFinal(step.to)) observer.taskEnded(step, step.to);
    // A task that gave its worker back has waited for others, not for a slot.
    if (step.to === "running" && step.from !== "waiting") observer.began(step, tookMs);
  }
}

/** Plain numbers, which sort without a call for each comparison. */
function ascending(samples: readonly CommitSample[]): Float64Array {
  return new Float64Array(samples.map(({ tookMs }) => tookMs)).sort();
}
