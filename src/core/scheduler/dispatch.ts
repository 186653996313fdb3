/** Fills free slots: the worker with the lightest load takes the first task in line, until tasks or slots run out. */
import { limits } from "../../model/limits.ts";
import { Heap, type HeapItem } from "../heap.ts";
import { beginAttempt } from "./attempts.ts";
import type { AssignedAttempt, Batch } from "./effects.ts";
import { type LiveTask, startsBefore } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { SchedulerState } from "./state.ts";

export function dispatch(state: SchedulerState, batch: Batch): void {
  state.isDispatchCut = false;
  if (state.queues.waiting.size === 0 || state.workers.free.size === 0) return;
  const line = new Heap<Seat>(isLighter);
  for (const worker of state.workers.free) line.push(new Seat(worker));
  const assigned = new Map<LiveWorker, AssignedAttempt[]>();
  let count = 0;
  // The bound keeps one entry from growing without end; what is left is filled by the next batch.
  while (state.queues.waiting.size > 0) {
    state.isDispatchCut = count >= limits.assignmentsPerBatchMax;
    if (state.isDispatchCut) break;
    const seat = line.pop();
    if (seat === undefined) break;
    const { worker } = seat;
    const task = firstInLine(state, worker);
    if (task === undefined) continue;
    state.queues.dequeue(task);
    beginAttempt(state, batch, task, worker);
    count += 1;
    const attempts = assigned.get(worker) ?? [];
    attempts.push({ ...task.issued, timeoutMs: task.limits.timeoutMs });
    assigned.set(worker, attempts);
    if (worker.hasFreeSlot) line.push(seat);
  }
  for (const [worker, attempts] of assigned) {
    if (worker.session !== null)
      batch.out.effects.push({ kind: "assign", worker: worker.id, session: worker.session, attempts });
  }
}

/** The first of all tasks that wait in the worker's queues. */
function firstInLine(state: SchedulerState, worker: LiveWorker): LiveTask | undefined {
  let first: LiveTask | undefined;
  for (const queue of worker.queues) {
    if (!state.queues.waiting.has(queue)) continue;
    const head = queue.ready.peek();
    if (head !== undefined && (first === undefined || startsBefore(head, first))) first = head;
  }
  return first;
}

/** A worker's place in the line for this one dispatch. */
class Seat implements HeapItem {
  readonly worker: LiveWorker;
  heapIndex = -1;

  constructor(worker: LiveWorker) {
    this.worker = worker;
  }
}

/** Spreads tasks evenly: the smallest share of used slots goes first; equals take turns. */
function isLighter({ worker: a }: Seat, { worker: b }: Seat): boolean {
  const loadA = a.usedSlots / a.record.capacity;
  const loadB = b.usedSlots / b.record.capacity;
  if (loadA !== loadB) return loadA < loadB;
  return a.turn < b.turn;
}
