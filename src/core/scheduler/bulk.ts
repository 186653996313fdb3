/** Many tasks at once: each call takes as many as one entry holds, and says how many it has looked at. Finished tasks are forgotten here, too. */
import { rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { type Actor, coversQueue } from "../../model/principals/principal.ts";
import { isFinal } from "../../model/task.ts";
import { cancelTask } from "./attempts.ts";
import type { Batch, Reply } from "./effects.ts";
import type { FinishedTask } from "./inputs.ts";
import { isFull } from "./module.ts";
import { refuseTask } from "./rights.ts";
import type { SchedulerState } from "./state.ts";

/** Cancels those that have not ended; the others are passed over, and so are those that `by` may not cancel. */
export function cancelMany(
  state: SchedulerState,
  batch: Batch,
  { ids, by }: { readonly ids: readonly TaskId[]; readonly by?: Actor },
): Reply {
  const done: TaskId[] = [];
  let seen = 0;
  for (const id of ids) {
    if (isFull(batch)) break;
    seen += 1;
    const task = state.tasks.get(id);
    if (task === undefined || (by !== undefined && refuseTask(state, by, id) !== null)) continue;
    cancelTask(state, batch, task);
    done.push(id);
  }
  return { kind: "bulk", done, seen };
}

/** Forgets tasks that the store had as finished when it was asked at `seq`, or later. Those outside of the queues of `by` stay. */
export function deleteMany(
  state: SchedulerState,
  batch: Batch,
  { tasks, seq, by }: { readonly tasks: readonly FinishedTask[]; readonly seq: number; readonly by?: Actor },
): Reply {
  const { recentlyForgotten } = state.tasks;
  if (!recentlyForgotten.covers(seq)) return { kind: "look-again" };
  const done: TaskId[] = [];
  let seen = 0;
  for (const task of tasks) {
    if (isFull(batch)) break;
    seen += 1;
    if (!coversQueue(by?.queues, task.queue) || recentlyForgotten.isAfter(task.id, seq)) continue;
    if (forget(state, batch, task)) done.push(task.id);
  }
  return { kind: "bulk", done, seen };
}

/** Tasks that have outlived their retention. The store may have been asked before they were deleted, or retried and ended anew. */
export function forgetExpired(
  state: SchedulerState,
  batch: Batch,
  { tasks: expired, seq }: { readonly tasks: readonly FinishedTask[]; readonly seq: number },
): void {
  const { recentlyForgotten, recentlyFinished } = state.tasks;
  for (const task of expired) {
    const hasEndedAnew = [task.id, rootOf(task.id)].some((id) => (recentlyFinished.seqOf(id) ?? 0) > seq);
    if (!hasEndedAnew && !recentlyForgotten.isGone(task.id)) forget(state, batch, task);
  }
}

/** @returns false if it has not ended, if its family is open again, or if an unfinished task names it in `after` */
function forget(state: SchedulerState, batch: Batch, { id, queue, state: end }: FinishedTask): boolean {
  const { tasks, dependencies } = state;
  // A family goes whole, and a retry may have opened it since it was found. It may even have ended again, in another way.
  const isOpen = tasks.get(id) !== undefined || tasks.get(rootOf(id)) !== undefined;
  const isAsFound = (tasks.recentlyFinished.state(id) ?? end) === end;
  if (!isFinal(end) || isOpen || !isAsFound || dependencies.isPinned(rootOf(id))) return false;
  dropFinished(state, { id, queue, state: end });
  state.tasks.forgottenAtSeq = batch.out.seq;
  state.tasks.recentlyForgotten.add(id, batch.out.seq);
  batch.out.writes.push({ kind: "forget-task", id, queue, state: end });
  return true;
}

/** A finished task leaves the counts of its queue, and what is remembered of it. */
export function dropFinished({ tasks, queues }: SchedulerState, { id, queue: name, state }: FinishedTask): void {
  tasks.recentlyFinished.forget(id);
  const queue = queues.open(name);
  queue.count(state, -1);
  queues.dropIfUnused(queue);
}
