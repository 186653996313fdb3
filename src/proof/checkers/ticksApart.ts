/**
 * I23: where a schedule does not allow it, no tick makes a task before those of its earlier ticks have ended, nor while a process of
 * one still runs on a worker that nobody has given up; and none is skipped for an overlap that there was not.
 */
import type { TaskId } from "../../model/ids.ts";
import type { SkippedTicks } from "../../model/schedules/schedule.ts";
import { isFinal } from "../../model/task.ts";
import { checker } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { type Execution, eventsOf, executionsByTask, isReopening, recordsByWorker, stepsByTask } from "./reading.ts";
import { scheduleSteps } from "./scheduleSteps.ts";

export const ticksApart = checker("I23", "ticks of one schedule keep apart where they must", (history, report) => {
  const made = new Map<string, TaskId[]>();
  /** They hold nothing up, until an edit begins to care about overlaps: it counts all that has not ended. */
  const backfilled = new Map<string, TaskId[]>();
  for (const { name, before, after, fired, entry } of scheduleSteps(history).steps) {
    const earlier = made.get(name) ?? [];
    made.set(name, earlier);
    const others = backfilled.get(name) ?? [];
    backfilled.set(name, others);
    const isAllowed = ((before ?? after).content.overlap ?? "allow") === "allow";
    for (const { id, isBackfilled } of fired) {
      if (isBackfilled) {
        others.push(id);
        continue;
      }
      for (const other of isAllowed ? [] : earlier) {
        if (wasRetried(history, other, entry.order)) continue;
        if (!hasEnded(history, other, entry.order)) report(`${id} was made while ${other} had not ended`, id, other);
        else if (isStillRunning(history, other, entry))
          report(`${id} was made while a process of ${other} ran`, id, other);
      }
      earlier.push(id);
    }
    const isNew = (row: SkippedTicks): boolean => !(before?.skipped ?? []).some(({ to }) => to === row.to);
    for (const { reason, to } of after.skipped.filter(isNew)) {
      if (reason !== "overlap" && reason !== "queue-full") continue;
      const isOverlap =
        (before?.queued.length ?? 0) > 0 ||
        [...earlier, ...others].some(
          (id) =>
            !hasEnded(history, id, entry.order - 1) ||
            isStillRunning(history, id, entry) ||
            hasUntoldEnd(history, id, entry) ||
            // An edit may have counted it since.
            wasRetried(history, id, entry.order),
        );
      if (!isOverlap) report(`the tick ${to} of ${name} was skipped in entry ${entry.seq}, and nothing ran`, name);
    }
  }
});

/** Somebody has opened it again after its end: it is no longer the schedule's affair. */
function wasRetried(history: History, id: TaskId, order: number): boolean {
  const steps = stepsByTask(history).get(id) ?? [];
  return steps.some((step, index) => step.entry.order <= order && isReopening(step, steps[index - 1]?.status ?? null));
}

function hasEnded(history: History, id: TaskId, order: number): boolean {
  const steps = stepsByTask(history).get(id) ?? [];
  return steps.some(({ status, entry }) => isFinal(status.state) && entry.order <= order);
}

function isStillRunning(history: History, id: TaskId, entry: LandedEntry): boolean {
  return (executionsByTask(history).get(id) ?? []).some((execution) => {
    const isRunning =
      execution.startOrder < entry.order && (execution.endOrder ?? Number.POSITIVE_INFINITY) > entry.order;
    return isRunning && !wasGivenUp(history, execution, entry);
  });
}

/** A worker was given an attempt of it and has not got through to a leader with its end since: for all that the leader knows, it runs. */
function hasUntoldEnd(history: History, id: TaskId, entry: LandedEntry): boolean {
  return (stepsByTask(history).get(id) ?? []).some(({ status, entry: { order: startOrder } }) => {
    const { state, attempt, host: worker, boot } = status;
    if (state !== "running" || worker === undefined || boot === undefined || startOrder >= entry.order) return false;
    const isTold = eventsOf(history, "sent-verdict").some(
      (sent) => sent.task === id && sent.attempt === attempt && sent.order < entry.order,
    );
    return !isTold && !wasGivenUp(history, { worker, boot, startOrder }, entry);
  });
}

/** Its worker was lost or has left, or another process has taken its place. */
function wasGivenUp(
  history: History,
  { worker, boot, startOrder }: Pick<Execution, "worker" | "boot" | "startOrder">,
  entry: LandedEntry,
): boolean {
  return (recordsByWorker(history).get(worker) ?? []).some(
    ({ record, entry: { order } }) =>
      order > startOrder &&
      order <= entry.order &&
      (record.boot !== boot || record.state === "lost" || record.state === "gone"),
  );
}
