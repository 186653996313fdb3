/** What of a task belongs to its present run, and what to those before it was retried. */
import type { Attempt, Task } from "../../api/schema.ts";

/** True once it was retried from scratch: then it has children of its own in each run. */
export function hasEarlierChildren({ family }: Pick<Task, "family">): boolean {
  return (family?.epoch ?? 0) > 0;
}

/** What the task tells of its worker and times is then of an attempt before the retry. */
export function isBeforeRetry({ retriedAt = 0, assignedAt = 0 }: Pick<Task, "retriedAt" | "assignedAt">): boolean {
  return assignedAt < retriedAt;
}

export interface Runs {
  readonly present: readonly Attempt[];
  readonly earlier: readonly Attempt[];
}

/** Attempts count on over a retry, so it is their time that tells. */
export function runsOf({ retriedAt = 0 }: Pick<Task, "retriedAt">, attempts: readonly Attempt[]): Runs {
  const present = attempts.filter(({ assignedAt }) => assignedAt >= retriedAt);
  return { present, earlier: attempts.filter(({ assignedAt }) => assignedAt < retriedAt) };
}
