/**
 * Attempts are remembered without a write of their own as long as the status of their task tells of them: the last attempt of
 * every task. What replaces that in the status, the next attempt above all, first writes it down as a record. So does what ends a task
 * whose process may go on: when that ends, its record is completed.
 */

import type { AttemptError } from "../../model/attemptError.ts";
import { type AttemptOutcome, type AttemptRecord, attemptRecordId, lastAttemptOf } from "../../model/attemptRecord.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Batch } from "./effects.ts";
import { type LiveTask, toStatus } from "./liveTask.ts";
import { isFull } from "./module.ts";

/** Must be called before anything changes of the attempt that has ended, or of the task's state. */
export function recordAttempt(batch: Batch, task: LiveTask): void {
  // Most tasks begin once and have nothing to record: nothing is spent on them.
  if (task.attempt === 0 || task.isRecorded) return;
  const last = lastAttemptOf(toStatus(task, batch.now));
  if (last === null) return;
  const { processEndedAt } = task.last ?? {};
  recordOfAttempt(batch, task.id, { ...last, ...(processEndedAt !== undefined && { processEndedAt }) });
  task.isRecorded = true;
}

interface GivenUp {
  readonly outcome: AttemptOutcome;
  readonly error?: AttemptError;
  /** Now, if left out. */
  readonly endedAt?: number;
}

/**
 * The task ends, or is about to, while the process of its current attempt may go on. Where the entry is full the status tells of the
 * attempt as of any other, and it does not become known when its process ended.
 */
export function recordGivenUp(batch: Batch, task: LiveTask, { outcome, error, endedAt = batch.now }: GivenUp): void {
  const { attempt, run } = task;
  if (run === null || task.isRecorded || isFull(batch)) return;
  const { host: worker, boot, assignedAt, startedAt } = run;
  const message = error?.message.slice(0, limits.attemptMessageLengthMax).toWellFormed();
  recordOfAttempt(batch, task.id, {
    ...{ attempt, worker, boot, assignedAt },
    ...(startedAt !== undefined && { startedAt }),
    ...{ endedAt, outcome },
    ...(error !== undefined && message !== undefined && { error: { code: error.code, message } }),
  });
  task.isRecorded = true;
}

/** Writes the record; the oldest one goes where there are too many. */
export function recordOfAttempt(batch: Batch, task: TaskId, value: AttemptRecord): void {
  const { writes } = batch.out;
  writes.push({ kind: "record", collection: "attempts", id: attemptRecordId(task, value.attempt), value });
  const oldest = value.attempt - limits.attemptRecordsMax;
  if (oldest < 1) return;
  writes.push({ kind: "record", collection: "attempts", id: attemptRecordId(task, oldest), value: null });
}
