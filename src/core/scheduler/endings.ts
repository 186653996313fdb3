/**
 * How families end. A task whose outcome is decided while descendants of it have not ended gets that outcome as `ending`. From
 * then on nothing below it is created or started, and a walk over its children, some in each entry, ends those that do not run;
 * a cancelled or failed task's running children are aborted as well. Only a command that has succeeded lets its children run. The
 * task is final in the entry of its last child's end.
 */
import { indexOf } from "../../model/family.ts";
import type { Json } from "../../model/json.ts";
import { execKind } from "../../model/kinds/exec.ts";
import type { FinalState } from "../../model/task.ts";
import type { Batch } from "./effects.ts";
import type { ChildSet } from "./families.ts";
import { Family } from "./family.ts";
import type { LiveTask } from "./liveTask.ts";
import { stopRun } from "./runStops.ts";
import type { SchedulerState } from "./state.ts";
import { wakeIfDue } from "./waits.ts";

/** The task ends like this: at once, or, if it has children that have not ended, when the last of them has. */
export function finish(state: SchedulerState, batch: Batch, task: LiveTask, end: FinalState, output?: Json): void {
  const open = state.families.openChildren(task.id);
  if (open === 0) return endNow(state, batch, task, end, output);
  task.family ??= new Family();
  const { family } = task;
  family.ending = { state: end, output };
  family.waits = [];
  family.isWoken = false;
  state.tasks.setState(task, "waiting");
  state.tasks.write(batch, task, output);
  startWalk(state, task);
}

/** Its children are walked over: now that its outcome is decided, or by a new leader that takes the walk up. */
export function startWalk(state: SchedulerState, task: LiveTask): void {
  if (!isClosing(task)) return;
  for (const set of state.families.of(task.id)) if (set.open > 0) state.walks.add(set);
}

/** True if the outcome of the task is decided, and it waits for its descendants to end. */
export function isEnding(task: LiveTask | undefined): boolean {
  return task?.family?.isEnding ?? false;
}

/**
 * True if the task is ending, and nothing below it starts any more. Not for a command that has succeeded: its children start, are retried
 * and end as those of an open task do. A command cannot wait for them itself; a handler can, and what it did not wait for is cancelled.
 */
export function isClosing(task: LiveTask | undefined): boolean {
  const ending = task?.family?.ending ?? null;
  return ending !== null && !(ending.state === "success" && task?.lane.kind === execKind.name);
}

/** True if the task must not start any more: the outcome above it is decided, or its graph starts nothing more. A walk ends it. */
export function mustNotStart(state: SchedulerState, task: LiveTask): boolean {
  if (task.parent === null) return false;
  return isBelowEnding(state, task) || isStoppedNode(task);
}

/** True for a node that has not started, in a graph in which another one has failed. */
export function isStoppedNode({ parent, attempt, family, links }: LiveTask): boolean {
  return parent?.isStopped === true && attempt === 0 && family === null && (links?.runIf ?? "success") === "success";
}

/** The task never runs. It must not have started. */
export function skip(state: SchedulerState, batch: Batch, task: LiveTask, reason: string): void {
  state.tasks.unplace(task);
  const error = { code: "skipped", message: `It did not run: ${reason}` };
  task.last = { endedAt: batch.now, error, exit: undefined, logBytes: undefined };
  finish(state, batch, task, "skipped");
}

/** True if the outcome of a task above it is decided: it must not be started, nor make children. */
export function isBelowEnding(state: SchedulerState, task: LiveTask): boolean {
  for (let each: LiveTask | undefined = task; each !== undefined && each.parent !== null; ) {
    if (each.parent.isBroken) return true;
    each = state.tasks.get(each.parent.parent);
    if (isClosing(each)) return true;
  }
  return false;
}

function endNow(state: SchedulerState, batch: Batch, task: LiveTask, end: FinalState, output?: Json): void {
  for (const set of [...state.families.of(task.id)]) {
    task.family?.countEnded(set);
    state.families.drop(batch, set, false);
  }
  state.backups.noteEnd(task);
  const signalled = state.signals.remove(batch, task.id);
  if (task.family !== null) task.family.signalled = signalled;
  stopRun(state, batch, task);
  task.family?.end();
  state.tasks.setState(task, end);
  state.tasks.write(batch, task, output);
  state.dependencies.noteEnd(batch, task, end);
  if (task.parent !== null) noteEnd(state, batch, task.parent, task, end);
}

/** A child has ended: its set counts it, and its parent may go on, or end. */
function noteEnd(state: SchedulerState, batch: Batch, set: ChildSet, child: LiveTask, end: FinalState): void {
  const error = child.last?.error;
  if (set.options.backups === true && end === "success" && child.run !== null)
    set.time(batch.now - child.run.assignedAt, child.backup?.isWinner === true);
  set.count({ index: indexOf(child.id), id: child.id, ...(error !== undefined && { error }) }, end);
  if (child.isReleased) set.active -= 1;
  state.families.touch(set);
  const parent = state.tasks.get(set.parent);
  if (parent === undefined) throw new Error(`Child ${child.id} has ended, but its parent ${set.parent} is not there.`);
  const ending = parent.family?.ending ?? null;
  if (ending !== null && state.families.openChildren(parent.id) === 0)
    return endNow(state, batch, parent, ending.state, ending.output);
  if (isClosing(parent)) return;
  if (set.isBroken) breakSet(state, set);
  else releaseNext(state, batch, set);
  if (set.isStopped && set.open > 0) state.walks.add(set);
  if (!set.isOver) return;
  if (set.isGraph) state.graphs.over.add(parent.id);
  else wakeIfDue(state, batch, parent);
}

/** More children have failed than the set allows: no more are made or started, and those that run are ended. */
function breakSet(state: SchedulerState, set: ChildSet): void {
  set.isSealed = true;
  if (set.open > 0) state.walks.add(set);
}

/** Lets children into their lanes while there is room for them. */
export function releaseNext(state: SchedulerState, batch: Batch, set: ChildSet): void {
  if (set.isHeld) return;
  const activeMax = set.options.concurrencyMax ?? Number.POSITIVE_INFINITY;
  for (; set.released < set.created && set.active < activeMax; set.released += 1) {
    const child = state.tasks.get(set.childAt(set.released));
    if (child === undefined || child.isReleased) continue;
    child.isReleased = true;
    set.active += 1;
    if (child.state === "created") state.tasks.enqueueNew(child, batch.now);
  }
}

/** Children that are open again go into their lanes, at once or when there is room for them. */
export function releaseAgain(state: SchedulerState, batch: Batch, children: readonly LiveTask[]): void {
  const sets = new Set<ChildSet>();
  for (const { id, parent: set } of children) {
    if (set === null) continue;
    set.released = Math.min(set.released, indexOf(id));
    sets.add(set);
  }
  for (const set of sets) releaseNext(state, batch, set);
}
