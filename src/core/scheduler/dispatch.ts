/** Fills free slots: the first task of all lanes goes to the worker with the lightest load, until tasks or slots run out. */
import { limits } from "../../model/limits.ts";
import { beginAttempt, toAssigned } from "./attempts.ts";
import type { AssignedAttempt, Batch } from "./effects.ts";
import { mustNotStart } from "./endings.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";

export const dispatch = {
  step: (state, batch) => fillSlots(state, batch),
  // The last batch may have stopped at its bound.
  nextWakeAt: ({ lanes }) => (lanes.hasMatch ? 0 : null),
} satisfies SchedulerModule;

function fillSlots(state: SchedulerState, batch: Batch): void {
  if (isFull(batch)) return;
  const assigned = new Map<LiveWorker, AssignedAttempt[]>();
  // The bound keeps one entry from growing without end; what is left is assigned by the next batch.
  for (let count = 0; count < limits.assignmentsPerBatchMax; count += 1) {
    const match = state.lanes.next();
    // What is written of attempts before these counts at once.
    if (match === undefined || isFull(batch)) break;
    const { task, worker } = match;
    if (mustNotStart(state, task)) {
      state.lanes.dequeue(task);
      continue;
    }
    const attempts = assigned.get(worker) ?? [];
    attempts.push(begin(state, batch, task, worker));
    assigned.set(worker, attempts);
  }
  for (const [worker, attempts] of assigned) send(batch, worker, attempts);
}

/** The task leaves its line for this worker. Must be followed by `send`. */
export function begin(state: SchedulerState, batch: Batch, task: LiveTask, worker: LiveWorker): AssignedAttempt {
  state.lanes.dequeue(task);
  state.rates.noteStart(task.queue, batch.now);
  beginAttempt(state, batch, task, worker);
  return toAssigned(state, task);
}

export function send(batch: Batch, worker: LiveWorker, attempts: readonly AssignedAttempt[]): void {
  if (worker.session === null) return;
  batch.out.effects.push({ kind: "assign", worker: worker.id, session: worker.session, attempts });
}
