/**
 * How finished tasks are opened again, all in one entry: each with its set of children, its place in line, and what it waits for.
 * What waits for tasks that are open again waits for them once more, and begins from scratch if it had begun.
 */
import { lastAttemptOf } from "../../model/attemptRecord.ts";
import { type ChildSetRecord, childPrefix, nodesKey, prefixOf, stepId } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { beginsAnew, needsNoWorker } from "../../model/kinds/table.ts";
import { type FinalState, isFinal } from "../../model/task.ts";
import { recordOfAttempt } from "./attemptRecords.ts";
import type { Batch } from "./effects.ts";
import { releaseAgain } from "./endings.ts";
import type { ChildSet } from "./families.ts";
import { Family } from "./family.ts";
import { takeUpGraph } from "./graphsModule.ts";
import type { FinishedTree } from "./inputs.ts";
import { type LiveTask, restoreStatus } from "./liveTask.ts";
import type { SchedulerState } from "./state.ts";

export type Ended = FinishedTree["tasks"][number];

/** How one task of a retry begins. */
interface Beginning {
  /** It had started before, or had nodes as a graph. */
  readonly hadBegun: boolean;
  /** Nothing of what it remembers counts any more. */
  readonly isAnew: boolean;
  /** Whether it may start has yet to be decided: by how the tasks end that it waits for. */
  readonly isUndecided: boolean;
}

interface Reopened extends Beginning {
  readonly task: LiveTask;
}

/**
 * Opens these tasks, parents before their children. Of every set that they belong to, or that is below a graph among them, `found`
 * must have the record; of everything that they wait for, how it has ended, unless it has not or is among them.
 * @param fromScratch the task of which nothing is remembered; null for none
 * @returns how many tasks are open now: what is below one that begins from scratch stays as it is
 */
export function reopenAll(
  state: SchedulerState,
  batch: Batch,
  found: FinishedTree,
  opened: readonly Ended[],
  fromScratch: TaskId | null,
): number {
  const sets = new Map(found.sets.map(({ prefix, record }) => [prefix, record]));
  const ids = new Set(opened.map(({ head }) => head.id));
  const reopened: Reopened[] = [];
  for (const each of opened) {
    const { head, status } = each;
    const set = head.parent === undefined ? null : openSetOf(state, batch, head.parent, prefixOf(head.id), sets);
    // It is below a task that begins from scratch.
    if (set === "missing") continue;
    const beginning = beginningOf(each, ids, fromScratch);
    const task = reopen(state, batch, each);
    state.dependencies.noteReopened(batch, task.id);
    restoreSignals(state, batch, task);
    if (beginning.isAnew) beginAnew(task);
    else if (task.isGraph) openSetOf(state, batch, task.id, nodesPrefix(task), sets);
    else openUntaken(state, batch, task.id, found.sets, sets);
    if (set !== null) uncount(state, set, task, status.state as FinalState);
    reopened.push({ task, ...beginning });
  }
  for (const each of reopened) place(state, batch, each, found.ends);
  const tasks = reopened.map(({ task }) => task);
  // Each is written once, as it stands when all are open.
  for (const task of tasks) state.tasks.write(batch, task);
  releaseAgain(state, batch, tasks);
  for (const task of tasks) {
    if (task.parent === null && task.state === "created") state.tasks.enqueueNew(task, batch.now);
    if (task.isGraph && task.state === "waiting") takeUpGraph(state, batch, task);
  }
  return reopened.length;
}

/** @param ids of all tasks that are opened together */
export function beginningOf({ head, status }: Ended, ids: ReadonlySet<TaskId>, fromScratch: TaskId | null): Beginning {
  const { id, after = [], takesOutputs = false } = head;
  const { family, attempt, uncounted = 0 } = status;
  // A graph has no attempts.
  const hasAttempts = !needsNoWorker(head);
  const hadBegun = hasAttempts ? attempt > 0 : (family?.children ?? 0) > 0;
  // A retry before this one may have let it wait again, and then it ended before that was decided. Where nobody can tell, it is decided
  // once more. What remembers a step or has children had begun, as waiting again begins anew: it goes on, though what it waited for may
  // have ended in another way since, and its children are never those of a task that did not run.
  const isPristine = family === undefined || family.children + family.steps === 0;
  const mayHaveWaited = hasAttempts && attempt <= uncounted && isPristine;
  const waitsAgain = after.some((each) => ids.has(each));
  const isAnew = id === fromScratch || (hadBegun && (waitsAgain || beginsAnew(head)));
  const mustDecide = !hadBegun || mayHaveWaited || waitsAgain || (isAnew && takesOutputs);
  return { hadBegun, isAnew, isUndecided: after.length > 0 && mustDecide };
}

/** The prefix of the ids of a graph's nodes. */
function nodesPrefix({ id, family }: LiveTask): string {
  return childPrefix(id, family?.epoch ?? 0, nodesKey);
}

function beginAnew(task: LiveTask): void {
  // Inputs are resolved once per generation.
  if (task.links?.takesOutputs === true) task.family ??= new Family();
  task.family?.beginGeneration();
}

/** Sets that ended with their task, which took no notice of them: its handler finds them as they are, and makes no child twice. */
function openUntaken(
  state: SchedulerState,
  batch: Batch,
  id: TaskId,
  found: FinishedTree["sets"],
  byPrefix: ReadonlyMap<string, ChildSetRecord>,
): void {
  for (const { prefix, record } of found)
    if (record.parent === id && record.isNoticed !== true) openSetOf(state, batch, id, prefix, byPrefix);
}

/** The set of this prefix, open again where it was over. */
function openSetOf(
  state: SchedulerState,
  batch: Batch,
  parentId: TaskId,
  prefix: string,
  sets: ReadonlyMap<string, ChildSetRecord>,
): ChildSet | "missing" {
  const parent = state.tasks.get(parentId);
  const record = sets.get(prefix);
  if (parent === undefined) return "missing";
  if (state.families.recordOf(prefix) !== null) return state.families.at(prefix);
  // Sets of earlier generations stay closed.
  const { family } = parent;
  if (record === undefined || family === null || childPrefix(parentId, family.epoch, record.key) !== prefix)
    return "missing";
  state.families.put(prefix, record);
  const set = state.families.at(prefix);
  // A handler seals it again: it may have been ended before all of its children were made. A graph has nobody to do that.
  if (!set.isGraph) set.isSealed = false;
  family.uncountEnded(set);
  // A graph remembers its nodes when it concludes, and only then.
  const isRemembered = set.isGraph ? family.steps > 0 : record.isNoticed === true;
  if (isRemembered) {
    const step = stepId(parent.id, family.epoch, record.key);
    batch.out.writes.push({ kind: "record", collection: "steps", id: step, value: null });
    family.steps -= 1;
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
  const { startedAt: _s, endedAt: _e, error: _r, exit: _x, logBytes: _l, output: _o, backup, ...rest } = status;
  const counts = { failures: 0, kills: 0, uncounted: attempt, losses: 0 };
  const known = backup === undefined ? {} : { backup: { id: backup.id } };
  restoreStatus(task, { ...rest, ...known, ...counts, state: "created", retriedAt: at, isRecorded: attempt > 0 });
  return task;
}

function restoreSignals(state: SchedulerState, batch: Batch, { id, family }: LiveTask): void {
  if (family === null) return;
  state.signals.restore(batch, id, family.signalled);
  family.signalled = [];
}

function uncount(state: SchedulerState, set: ChildSet, { id }: LiveTask, before: FinalState): void {
  set.uncount(id, before);
  state.families.touch(set);
}

/** Its state: blocked until it is decided whether it may start, waiting for the nodes that it has, or ready. */
function place(
  state: SchedulerState,
  batch: Batch,
  { task, hadBegun, isAnew, isUndecided }: Reopened,
  ends: FinishedTree["ends"],
): void {
  if (!isUndecided) {
    if (task.isGraph && hadBegun && !isAnew) state.tasks.setState(task, "waiting");
    return;
  }
  const isLive = (id: TaskId): boolean => state.tasks.get(id) !== undefined;
  for (const id of task.links?.after ?? []) {
    const end = isLive(id) ? undefined : ends.get(id);
    if (end !== undefined && end !== "success") state.dependencies.noteFailure(batch, id, end);
  }
  state.tasks.setState(task, "blocked");
  state.dependencies.block(task, isLive);
}
