/**
 * Tasks that may be what takes their workers down run alone: a worker is kept for such a task, is given nothing more, and gets
 * the task once it is empty. Half of the workers at most are kept like that, one at least, and no more such tasks wait for one:
 * where more tasks than that lose their workers again and again, it is rather the machines, and the others run as usual.
 */
import { limits } from "../../model/limits.ts";
import { begin, send } from "./dispatch.ts";
import type { Batch } from "./effects.ts";
import { mustNotStart } from "./endings.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";

export const isolation = {
  step(state, batch) {
    const { lanes } = state;
    for (const worker of lanes.alone) if (!isStillKept(worker)) worker.keptFor = null;
    if (lanes.suspects.size === 0 || isFull(batch)) return;
    moveToEmpty(state);
    keepWorkers(state);
    for (const worker of lanes.alone) startIfEmpty(state, batch, worker);
  },
} satisfies SchedulerModule;

/** Whatever the task was kept for may have ended meanwhile, or the worker may have become one that takes nothing. */
function isStillKept(worker: LiveWorker): boolean {
  const task = worker.keptFor;
  if (task === null) return false;
  return worker.tasks.has(task.id) || (isWaiting(task) && worker.isEligible && worker.offer.serves(task.lane));
}

function isWaiting(task: LiveTask): boolean {
  return task.isSetApart && task.queue.isOpen;
}

/** A task for which a worker is kept that is still busy takes another one that is empty by now. */
function moveToEmpty({ lanes, workers }: SchedulerState): void {
  let looks = 0;
  for (const worker of [...lanes.alone]) {
    const task = worker.keptFor;
    if (task === null || worker.tasks.has(task.id) || worker.usedSlots === 0) continue;
    looks += 1;
    if (looks > limits.suspectsPerBatchMax) return;
    const other = emptiest(workers, task);
    if (other === null || other.usedSlots > 0) continue;
    worker.keptFor = null;
    other.keptFor = task;
  }
}

/** Looks at a bounded number of suspects: each costs a look at every worker. */
function keepWorkers({ lanes, workers }: SchedulerState): void {
  const kept = new Set([...lanes.alone].map(({ keptFor }) => keptFor));
  const { aloneMax } = lanes;
  let looks = 0;
  for (const task of lanes.suspects) {
    if (lanes.alone.size >= aloneMax || looks >= limits.suspectsPerBatchMax) return;
    if (kept.has(task) || !isWaiting(task)) continue;
    looks += 1;
    const worker = emptiest(workers, task);
    if (worker !== null) worker.keptFor = task;
  }
}

function emptiest(workers: Iterable<LiveWorker>, task: LiveTask): LiveWorker | null {
  let best: LiveWorker | null = null;
  for (const worker of workers) {
    if (!worker.isEligible || worker.keptFor !== null || !worker.offer.serves(task.lane)) continue;
    if (best === null || worker.usedSlots < best.usedSlots) best = worker;
  }
  return best;
}

function startIfEmpty(state: SchedulerState, batch: Batch, worker: LiveWorker): void {
  const task = worker.keptFor;
  if (task === null || !isWaiting(task) || worker.usedSlots > 0) return;
  if (mustNotStart(state, task)) {
    state.lanes.dequeue(task);
    worker.keptFor = null;
    return;
  }
  send(batch, worker, [begin(state, batch, task, worker)]);
}
