/**
 * Attempts are remembered without a write of their own as long as the status of their task tells of them: the last attempt of
 * every task. What replaces that in the status, the next attempt above all, first writes it down as a record.
 */
import { type AttemptRecord, attemptRecordId, lastAttemptOf } from "../../model/attemptRecord.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Batch } from "./effects.ts";
import { type LiveTask, toStatus } from "./liveTask.ts";

/** Must be called before anything changes of the attempt that has ended, or of the task's state. */
export function recordAttempt(batch: Batch, task: LiveTask): void {
  // Most tasks begin once and have nothing to record: nothing is spent on them.
  if (task.attempt === 0 || task.isRecorded) return;
  const last = lastAttemptOf(toStatus(task, batch.now));
  if (last === null) return;
  recordOfAttempt(batch, task.id, last);
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
