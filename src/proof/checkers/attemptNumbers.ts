/**
 * I4: attempts count 1, 2, 3 … without gap or return, and a new one begins only when the one before has ended. What ended stays
 * known: the entry in which an attempt begins, or an earlier one, has a record of the attempt before. A record changes once at most,
 * by the end of a process that went on after its attempt had been given up, and that end was seen before.
 */
import { isDeepStrictEqual } from "node:util";
import type { AttemptRecord } from "../../model/attemptRecord.ts";
import { ownerOf } from "../../model/collections/table.ts";
import { checker, type Report } from "./checker.ts";
import { type Execution, executionsByTask, once, type Step, stepsByTask } from "./reading.ts";

export const attemptNumbers = checker("I4", "attempt numbers have no gap and no return", (history, report) => {
  const records = attemptRecords(history);
  for (const [task, steps] of stepsByTask(history)) {
    if (history.conditions.seesRecords === true) {
      const known = records.get(task) ?? new Map();
      checkRecords(task, steps, known, report);
      checkProcessEnds(task, known, executionsByTask(history).get(task) ?? [], report);
    }
    let attempt = 0;
    for (const { status, entry } of steps) {
      if (status.attempt !== attempt && status.attempt !== attempt + 1) {
        report(`task ${task} went from attempt ${attempt} to ${status.attempt} in entry ${entry.seq}`, task);
      }
      attempt = status.attempt;
      // Every attempt but the current one has ended: as a failure, as a kill, or uncounted.
      const ended = status.failures + status.kills + (status.uncounted ?? 0);
      if (status.state === "running" && attempt !== ended + 1) {
        report(
          `attempt ${attempt} of task ${task} began when ${ended} attempts had ended, in entry ${entry.seq}`,
          task,
        );
      }
      if ((status.state === "killed" || status.state === "retrying") && attempt !== ended) {
        report(
          `task ${task} is ${status.state} with attempt ${attempt} and ${ended} ended attempts, in entry ${entry.seq}`,
          task,
        );
      }
    }
  }
});

interface Recorded {
  readonly record: AttemptRecord;
  readonly seq: number;
  readonly order: number;
}

/** By task and number, with the entries that brought the record. */
const attemptRecords = once((history): ReadonlyMap<string, ReadonlyMap<number, readonly Recorded[]>> => {
  const byTask = new Map<string, Map<number, Recorded[]>>();
  for (const { writes, seq, order } of history.entries) {
    for (const write of writes) {
      if (write.kind !== "record" || write.collection !== "attempts" || write.value === null) continue;
      const task = ownerOf(write.id)?.task ?? "";
      const own = byTask.get(task) ?? new Map<number, Recorded[]>();
      byTask.set(task, own);
      const { attempt } = write.value;
      own.set(attempt, [...(own.get(attempt) ?? []), { record: write.value, seq, order }]);
    }
  }
  return byTask;
});

function checkRecords(
  task: string,
  steps: readonly Step[],
  records: ReadonlyMap<number, readonly Recorded[]>,
  report: Report,
): void {
  for (const [attempt, all] of records) {
    const isOnce = all.every(({ record }, index) => {
      const before = all[index - 1]?.record;
      return before === undefined || isCompletion(record, before);
    });
    if (!isOnce) report(`attempt ${attempt} of task ${task} was recorded ${all.length} times`, task);
  }
  let before: Step | null = null;
  for (const step of steps) {
    const { attempt, host } = before?.status ?? {};
    if (attempt !== undefined && attempt > 0 && step.status.attempt > attempt) {
      const recorded = records.get(attempt)?.[0];
      if (recorded === undefined || recorded.seq > step.entry.seq)
        report(
          `attempt ${attempt} of task ${task} had no record in entry ${step.entry.seq}, when the next began`,
          task,
        );
      else if (recorded.record.worker !== host)
        report(
          `attempt ${attempt} of task ${task} ran on ${host}, and its record names ${recorded.record.worker}`,
          task,
        );
    }
    before = step;
  }
}

/** True if it says the same and, besides, when the process ended; said again, it says the same of that, too. */
function isCompletion(
  { processEndedAt, ...record }: AttemptRecord,
  { processEndedAt: known, ...first }: AttemptRecord,
) {
  const isSaidFirst = known === undefined || known === processEndedAt;
  return processEndedAt !== undefined && isSaidFirst && isDeepStrictEqual(record, first);
}

function checkProcessEnds(
  task: string,
  records: ReadonlyMap<number, readonly Recorded[]>,
  executions: readonly Execution[],
  report: Report,
): void {
  for (const [attempt, all] of records) {
    const completed = all.find(({ record }) => record.processEndedAt !== undefined);
    if (completed === undefined) continue;
    const { record, order, seq } = completed;
    const execution = executions.find((each) => each.attempt === attempt && each.boot === record.boot);
    const hasEnded = execution !== undefined && execution.endOrder !== null && execution.endOrder < order;
    if (!hasEnded || execution.end === "died")
      report(`entry ${seq} says when the process of attempt ${attempt} of task ${task} ended, which nobody saw`, task);
  }
}
