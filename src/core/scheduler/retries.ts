/**
 * Retries: a task that has failed or was cancelled is open again, and with it what has failed below it and what has ended above
 * it. All of that is one entry. Attempts count on; failures begin anew. Steps stay, unless the retry is from scratch: then a new
 * generation begins, whose steps and children have keys of their own.
 *
 * Finished tasks are in the store only, so the shell reads them and hands them in, with the seq at which that was true.
 */
import { lastAttemptOf } from "../../model/attemptRecord.ts";
import { type ChildSetRecord, prefixOf, stepId } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { type FinalState, isFinal, type TaskHead } from "../../model/task.ts";
import { recordOfAttempt } from "./attemptRecords.ts";
import { shortageFor } from "./creation.ts";
import type { Batch, Reply } from "./effects.ts";
import { isBelowEnding, isEnding, releaseAgain } from "./endings.ts";
import type { ChildSet } from "./families.ts";
import type { FinishedTree, SchedulerInput } from "./inputs.ts";
import { type LiveTask, restoreStatus } from "./liveTask.ts";
import { refuse, type SchedulerState } from "./state.ts";

type Wish = Extract<SchedulerInput, { kind: "retry" }>;
type Ended = FinishedTree["tasks"][number];

export function retry(state: SchedulerState, batch: Batch, wish: Wish): Reply {
  const { id, attempt, isFromScratch, found } = wish;
  const { tasks } = state;
  if (tasks.get(id) !== undefined) return { kind: "retried", id, reopened: 0 };
  if (!isFresh(state, found)) return { kind: "look-again" };
  const byId = new Map(found.tasks.map((each) => [each.head.id, each]));
  const top = byId.get(id);
  if (top === undefined) return refuse("not-found", `There is no task ${id}.`);
  // The retry has worked before, and its answer was lost.
  if (attempt !== null && top.status.attempt !== attempt) return { kind: "retried", id, reopened: 0 };
  const problem = problemOf(top, isFromScratch);
  if (problem !== null) return problem;
  const above = ancestorsOf(state, top, byId);
  if ("kind" in above) return above;
  const below = isFromScratch ? [] : found.tasks.filter(({ head }) => head.id !== id && !above.ended.includes(head.id));
  const opened = [...above.ended.flatMap((each) => byId.get(each) ?? []), top, ...below];
  const shortage = shortageFor(
    state,
    opened.map(({ head }) => head),
  );
  if (shortage !== null) return refuse("too-many", shortage.message, shortage.limit);
  const sets = new Map(found.sets.map(({ prefix, record }) => [prefix, record]));
  for (const { head } of opened) {
    const isKnown = head.parent === undefined || tasks.get(head.parent) !== undefined || sets.has(prefixOf(head.id));
    if (!isKnown)
      return refuse("conflict", `Task ${head.id} ended under an older version, which kept too little of it.`);
  }
  const reopened: { readonly task: LiveTask; readonly set: ChildSet | null }[] = [];
  for (const each of opened) {
    const set = each.head.parent === undefined ? null : openSet(state, batch, each.head, sets);
    if (set === "missing") continue;
    const task = reopen(state, batch, each);
    reopened.push({ task, set });
    // Nothing of a graph runs again by itself: below a retried task it begins anew.
    if ((task.id === id && isFromScratch) || task.isGraph) task.family?.beginGeneration();
    if (set !== null) uncount(state, set, task, each.status.state as FinalState);
  }
  // Each is written once, as it stands when all are open.
  for (const { task } of reopened) state.tasks.write(batch, task);
  for (const { task, set } of reopened) {
    if (set === null) state.tasks.enqueueNew(task, batch.now);
    else releaseAgain(state, batch, set, task);
  }
  return { kind: "retried", id, reopened: reopened.length };
}

/** True if nothing of what the store showed can have changed since. */
function isFresh({ tasks }: SchedulerState, { seq, tasks: found }: FinishedTree): boolean {
  if (!tasks.recentlyFinished.covers(seq) || seq < tasks.forgottenAtSeq) return false;
  return found.every(({ head }) => (tasks.recentlyFinished.seqOf(head.id) ?? 0) <= seq);
}

function problemOf({ head, status }: Ended, isFromScratch: boolean): Reply | null {
  const { id, kind } = head;
  if (status.state !== "failed" && status.state !== "cancelled") {
    return refuse("conflict", `Task ${id} has ended as ${status.state}: only what failed or was cancelled is retried.`);
  }
  if (kind === "graph" && !isFromScratch) {
    const hint = "Retry it from scratch: its tasks are then made and run anew.";
    return refuse("conflict", `Task ${id} is a graph, of which nothing can be run again by itself.`, undefined, {
      hint,
    });
  }
  if (isFromScratch && head.takesOutputs === true && status.family !== undefined) {
    const message = `Task ${id} takes outputs of other tasks, which are resolved once: it cannot be retried from scratch.`;
    return refuse("conflict", message);
  }
  return null;
}

/** Ids of the tasks above that have ended, the root first; or why the task cannot be open below them. */
function ancestorsOf(
  state: SchedulerState,
  { head }: Ended,
  byId: ReadonlyMap<TaskId, Ended>,
): Reply | { readonly ended: readonly TaskId[] } {
  const ended: TaskId[] = [];
  for (let child = head; child.parent !== undefined; ) {
    const { parent } = child;
    const live = state.tasks.get(parent);
    if (live !== undefined) return isOpenFor(state, live, child) ? { ended } : goneOn(head.id, parent);
    const above = byId.get(parent);
    if (above === undefined) return refuse("not-found", `There is no task ${parent}, the parent of ${child.id}.`);
    if (above.head.kind === "graph") {
      const hint = `Retry the graph from scratch: outlast retry ${parent} --from-scratch`;
      return refuse("conflict", `Task ${child.id} is a task of the graph ${parent}.`, undefined, { hint });
    }
    ended.unshift(parent);
    child = above.head;
  }
  return { ended };
}

/** True if the parent, which has not ended, still counts the children of this set. */
function isOpenFor(state: SchedulerState, parent: LiveTask, child: TaskHead): boolean {
  if (parent.isGraph || isEnding(parent) || isBelowEnding(state, parent)) return false;
  return state.families.recordOf(prefixOf(child.id)) !== null;
}

function goneOn(id: TaskId, parent: TaskId): Reply {
  const hint = `Retry ${parent} once it has failed, or submit the task anew.`;
  const message = `Task ${id} cannot be retried: its parent ${parent} has not ended, and has gone on without it.`;
  return refuse("conflict", message, undefined, { hint });
}

/** The set that the child belongs to, open again where it was over. */
function openSet(
  state: SchedulerState,
  batch: Batch,
  { id, parent: parentId }: TaskHead,
  sets: ReadonlyMap<string, ChildSetRecord>,
): ChildSet | "missing" {
  const prefix = prefixOf(id);
  const parent = parentId === undefined ? undefined : state.tasks.get(parentId);
  if (parent === undefined) return "missing";
  if (state.families.recordOf(prefix) !== null) return state.families.ofChild(id);
  const record = sets.get(prefix);
  if (record === undefined || parent.family === null) return "missing";
  // Its handler seals it again: it may have been ended before all of its children were made.
  state.families.put(prefix, { ...record, isSealed: false });
  const set = state.families.ofChild(id);
  parent.family.uncountEnded(set);
  if (record.isNoticed === true) {
    const step = stepId(parent.id, parent.family.epoch, record.key);
    batch.out.writes.push({ kind: "record", collection: "steps", id: step, value: null });
    parent.family.steps -= 1;
  }
  state.families.touch(set);
  state.tasks.touch(parent);
  return set;
}

function reopen(state: SchedulerState, batch: Batch, { head, status }: Ended): LiveTask {
  const { state: before } = status;
  if (!isFinal(before)) throw new Error(`Task ${head.id} is ${before}: it has not ended.`);
  const last = lastAttemptOf(status);
  if (last !== null) recordOfAttempt(batch, head.id, last);
  const at = batch.now - state.tasks.clockLagMs;
  batch.out.writes.push({ kind: "reopen-task", head, state: before, at });
  const task = state.tasks.reopen(head, before, at);
  // Attempts count on, and none of them against the task; what the last one left is on record.
  const { attempt } = status;
  const { startedAt: _s, endedAt: _e, error: _r, exit: _x, logBytes: _l, output: _o, ...rest } = status;
  const counts = { failures: 0, kills: 0, uncounted: attempt, losses: 0 };
  restoreStatus(task, { ...rest, ...counts, state: "created", retriedAt: at, isRecorded: attempt > 0 });
  return task;
}

function uncount(state: SchedulerState, set: ChildSet, { id }: LiveTask, before: FinalState): void {
  set.uncount(id, before);
  state.families.touch(set);
}
