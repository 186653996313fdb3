/** What the API shows of a task besides its document: its children, steps, attempts and artifacts. */
import type { AttemptRecord, TaskAttempt } from "../../model/attemptRecord.ts";
import type { ArtifactRecord } from "../../model/blob.ts";
import type { StepRecord } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { ChildCounts } from "../../model/task.ts";
import type { AttemptQuery, TaskPage, TaskQuery } from "../../ports/store.ts";
import type { Generation } from "./generations.ts";

export interface PageQuery {
  /** From the page before; null for the first page. */
  readonly cursor: string | null;
  /** 1 to `limits.pageMax`. */
  readonly limit: number;
}

/** Every method rejects with `not-found` for a task that is not there. */
export interface TaskViewApi {
  /** The children of one task, of all generations or of those that are asked for. */
  children(parent: TaskId, query: ChildQuery): Promise<ChildPage>;
  /** What the task remembers in its present generation, by key. */
  steps(task: TaskId, query: PageQuery): Promise<StepPage>;
  /** The attempts of one task that are remembered, the first one first; the current one is the last. */
  attempts(task: TaskId, query: PageQuery): Promise<AttemptsOfTask>;
  /** The files that the committed attempt of a task has left, by path; none before there is one. */
  artifacts(task: TaskId): Promise<readonly ArtifactRecord[]>;
  /** Attempts of all tasks that ran at some time between two instants: those that have ended, by when, and then those that run. */
  listAttempts(query: AttemptQuery): Promise<TaskAttemptPage>;
}

export interface ChildQuery extends Omit<TaskQuery, "parent" | "isRoot"> {
  /** All if left out. With it, a page may be short before the end. */
  readonly generation?: Generation;
}

export interface ChildPage extends TaskPage {
  /** Children by state, of the present generation. */
  readonly counts: ChildCounts;
}

export interface StepPage {
  readonly steps: readonly { readonly key: string; readonly step: StepRecord }[];
  readonly cursor: string | null;
}

export interface AttemptsOfTask {
  readonly attempts: readonly AttemptRecord[];
  readonly cursor: string | null;
}

export interface TaskAttemptPage {
  readonly attempts: readonly TaskAttempt[];
  readonly cursor: string | null;
}
