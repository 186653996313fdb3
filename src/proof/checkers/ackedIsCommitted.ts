/** I15: at the instant an acknowledgement leaves a master, what it acknowledges is in the store. */

import type { TaskId } from "../../model/ids.ts";
import { isFinal } from "../../model/task.ts";
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";
import { idOf } from "./lives.ts";
import { eventsOf, name, once, recordsByWorker, type Step, specs, stepBefore, stepsByTask } from "./reading.ts";

export const ackedIsCommitted = checker("I15", "acknowledged implies committed", (history, report) => {
  for (const { ids, order, life } of eventsOf(history, "acked-submit")) {
    for (const id of ids) {
      const created = specs(history).get(id);
      const isThere =
        created !== undefined && created.entry.order < order && stepBefore(history, id, order) !== undefined;
      if (!isThere) report(`${life} acknowledged task ${id} before it was in the store`, id);
    }
  }
  // Another leader may have opened it again before the answer left.
  for (const { task, asked, order, life } of eventsOf(history, "acked-cancel")) {
    if (stepsBetween(history, task, asked, order).every(({ status }) => status.state !== "cancelled"))
      report(`${life} acknowledged that task ${task} is cancelled before it was`, task);
  }
  for (const { task, order, life } of eventsOf(history, "acked-delete")) {
    if (!(forgettings(history).get(task) ?? []).some((at) => at < order))
      report(`${life} acknowledged that task ${task} is deleted before it was`, task);
  }
  for (const { task, asked, order, life } of eventsOf(history, "acked-retry")) {
    if (stepsBetween(history, task, asked, order).every(({ status }) => isFinal(status.state)))
      report(`${life} acknowledged that task ${task} is open again, and it was not`, task);
  }
  for (const { queue, isPaused, order, life } of eventsOf(history, "acked-queue")) {
    if (!wasQueueEver(history, queue, isPaused, order))
      report(`${life} acknowledged that queue ${queue} is ${isPaused ? "paused" : "open"} before it was`, queue);
  }
  for (const { worker, order, life } of eventsOf(history, "acked-drain")) {
    const records = recordsByWorker(history).get(worker) ?? [];
    const isDrained = records.some(({ record, entry }) => record.isDraining && entry.order < order);
    if (!isDrained) report(`${life} acknowledged that ${worker} drains before that was in the store`, worker);
  }
  for (const { task, attempt, verdict, order, life } of eventsOf(history, "sent-verdict")) {
    if (verdict !== "committed") continue;
    const steps = stepsByTask(history).get(task) ?? [];
    const isOver = steps.some(
      ({ status, entry }) =>
        entry.order < order && status.attempt === attempt && status.state !== "running" && status.state !== "created",
    );
    if (!isOver) report(`${life} told a worker that ${name(task, attempt)} is committed before it was`, task);
  }
});

/** How the task stood when something was asked, and all that became of it before `order`. */
function stepsBetween(history: History, task: TaskId, asked: number, order: number): readonly Step[] {
  const steps = (stepsByTask(history).get(task) ?? []).filter(({ entry }) => entry.order < order);
  const last = steps.findLastIndex(({ entry }) => entry.order < asked);
  return steps.slice(Math.max(0, last));
}

/** When each id was forgotten, whichever of its tasks that was. */
const forgettings = once((history): ReadonlyMap<string, readonly number[]> => {
  const found = new Map<string, number[]>();
  for (const { order, writes } of history.entries) {
    for (const write of writes) {
      if (write.kind === "forget-task") found.set(idOf(write.id), [...(found.get(idOf(write.id)) ?? []), order]);
    }
  }
  return found;
});

function wasQueueEver(history: History, queue: string, isPaused: boolean, beforeOrder: number): boolean {
  if (!isPaused) return true;
  return history.entries.some(
    ({ order, writes }) =>
      order < beforeOrder &&
      writes.some(
        (write) =>
          write.kind === "record" && write.collection === "queues" && write.id === queue && write.value?.isPaused,
      ),
  );
}
