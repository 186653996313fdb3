/**
 * Processes that went on after their attempt was given up: once the worker says that one has ended, the record of its attempt is
 * completed. Records are cold: those that this memory does not have are read by the shell.
 */
import { attemptRecordId, wasHandedBack } from "../../model/attemptRecord.ts";
import type { WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { ResultItem, WaitingResult } from "../../model/protocol.ts";
import type { Batch, ProcessEnd } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";

export const processEndsModule = {
  inputs: { "process-ended": completeRecord },
} satisfies SchedulerModule;

/** A result that no longer counts says when the process ended, unless there never was one. */
export function noteLateResult(state: SchedulerState, batch: Batch, worker: WorkerId, result: ResultItem): void {
  if (!wasHandedBack(result)) noteProcessEnds(state, batch, worker, [result]);
}

/** These results have been settled before: attempts that were given up, and others whose verdict was lost. */
export function noteProcessEnds(
  state: SchedulerState,
  batch: Batch,
  worker: WorkerId,
  results: readonly WaitingResult[],
): void {
  const ends: ProcessEnd[] = [];
  for (const { task: id, attempt, assignedAt, endedAt } of results) {
    if (endedAt === undefined) continue;
    const end = { task: id, attempt, assignedAt, endedAt };
    const task = state.tasks.get(id);
    if (task === undefined || task.attempt !== attempt || task.isRecorded) ends.push(end);
    else if (task.run?.assignedAt === assignedAt && task.run.host === worker) noteInMemory(task, endedAt);
  }
  if (ends.length > 0) batch.out.effects.push({ kind: "look-up-attempts", worker, seq: batch.out.seq - 1, ends });
}

/** The status still tells of the attempt, and is not written for this: it goes into the record that takes its place. */
function noteInMemory(task: LiveTask, processEndedAt: number): void {
  const { last, state } = task;
  // It runs, or what is said is how it ended.
  if (state === "running" || last === null || last.endedAt === processEndedAt) return;
  task.last = { ...last, processEndedAt };
}

/** Unless the record went meanwhile, with its task or to make room for others. */
function completeRecord(
  { tasks }: SchedulerState,
  { out }: Batch,
  { task: id, seq, record }: Extract<SchedulerInput, { kind: "process-ended" }>,
): void {
  if (!tasks.recentlyForgotten.covers(seq) || tasks.recentlyForgotten.isAfter(id, seq)) return;
  const { attempt = 0 } = tasks.get(id) ?? {};
  if (record.attempt <= attempt - limits.attemptRecordsMax) return;
  out.writes.push({ kind: "record", collection: "attempts", id: attemptRecordId(id, record.attempt), value: record });
}
