/**
 * I4: attempts count 1, 2, 3 … without gap or return, and a new one begins only when the one before has ended. What ended stays
 * known: the entry in which an attempt begins, or an earlier one, has a record of the attempt before.
 */
import type { AttemptRecord } from "../../model/attemptRecord.ts";
import { ownerOf } from "../../model/collections/table.ts";
import { checker, type Report } from "./checker.ts";
import { once, type Step, stepsByTask } from "./reading.ts";

export const attemptNumbers = checker("I4", "attempt numbers have no gap and no return", (history, report) => {
  const records = attemptRecords(history);
  for (const [task, steps] of stepsByTask(history)) {
    if (history.conditions.seesRecords === true) checkRecords(task, steps, records.get(task) ?? new Map(), report);
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
}

/** By task and number, with the entry that brought the record; an attempt is written down once. */
const attemptRecords = once((history): ReadonlyMap<string, ReadonlyMap<number, readonly Recorded[]>> => {
  const byTask = new Map<string, Map<number, Recorded[]>>();
  for (const { writes, seq } of history.entries) {
    for (const write of writes) {
      if (write.kind !== "record" || write.collection !== "attempts" || write.value === null) continue;
      const task = ownerOf(write.id)?.task ?? "";
      const own = byTask.get(task) ?? new Map<number, Recorded[]>();
      byTask.set(task, own);
      const { attempt } = write.value;
      own.set(attempt, [...(own.get(attempt) ?? []), { record: write.value, seq }]);
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
  for (const [attempt, all] of records)
    if (all.length > 1) report(`attempt ${attempt} of task ${task} was recorded ${all.length} times`, task);
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
