/**
 * Retries: a task that has failed or was cancelled is open again, and with it what has failed below it and what has ended above
 * it. All of that is one entry. Attempts count on; failures begin anew. Steps stay, unless the retry is from scratch: then a new
 * generation begins, whose steps and children have keys of their own. Of a graph, what was skipped is open again as well.
 *
 * Finished tasks are in the store only, so the shell reads them and hands them in, with the seq at which that was true.
 */
import { childPrefix, nodesKey, prefixOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { beginsAnew, isRetriedWhole, needsNoWorker } from "../../model/kinds/table.ts";
import type { TaskHead } from "../../model/task.ts";
import { shortageFor } from "./creation.ts";
import type { Batch, Reply } from "./effects.ts";
import { isBelowEnding, isEnding } from "./endings.ts";
import type { FinishedTree, SchedulerInput } from "./inputs.ts";
import type { LiveTask } from "./liveTask.ts";
import { beginningOf, type Ended, reopenAll } from "./reopening.ts";
import { refuse, type SchedulerState } from "./state.ts";
import { refuseReopening } from "./uniqueKeys.ts";

type Wish = Extract<SchedulerInput, { kind: "retry" }>;

export function retry(state: SchedulerState, batch: Batch, wish: Wish): Reply {
  const { id, attempt, isFromScratch, leavesSuccess = false, isDryRun = false, found } = wish;
  const { tasks } = state;
  if (tasks.get(id) !== undefined) return { kind: "retried", id, reopened: 0 };
  if (!isFresh(state, found)) return { kind: "look-again" };
  const byId = new Map(found.tasks.map((each) => [each.head.id, each]));
  const top = byId.get(id);
  if (top === undefined) return hasEndedSince(state, id, found) ?? refuse("not-found", `There is no task ${id}.`);
  // The retry has worked before, and its answer was lost.
  if (attempt !== null && top.status.attempt !== attempt) return { kind: "retried", id, reopened: 0 };
  const problem = problemOf(top);
  if (problem !== null) return problem;
  const above = ancestorsOf(state, top, byId, found);
  if ("kind" in above) return above;
  const replaced = refuseReplaced(top, byId, found);
  if (replaced !== null) return replaced;
  const kept = leavesSuccess ? refuseSuccessAbove(top, above.ended, byId) : null;
  if (kept !== null) return kept;
  const below = isFromScratch ? [] : found.tasks.filter(({ head }) => head.id !== id && !above.ended.includes(head.id));
  const opened = [...above.ended.flatMap((each) => byId.get(each) ?? []), top, ...below];
  const shortage = shortageFor(
    state,
    opened.map(({ head }) => head),
  );
  if (shortage !== null) return refuse("too-many", shortage.message, shortage.limit);
  const fromScratch = isFromScratch ? id : null;
  const problemOfAll = whatIsMissing(state, found, opened, fromScratch) ?? refuseEndedSets(state, found, opened, id);
  if (problemOfAll !== null) return problemOfAll;
  if (isDryRun) return { kind: "retried", id, reopened: opened.length };
  return { kind: "retried", id, reopened: reopenAll(state, batch, found, opened, fromScratch) };
}

/** Why these tasks cannot be opened with what is known of them; null if they can. */
function whatIsMissing(
  state: SchedulerState,
  found: FinishedTree,
  opened: readonly Ended[],
  fromScratch: TaskId | null,
): Reply | null {
  const { tasks } = state;
  const sets = new Set(found.sets.map(({ prefix }) => prefix));
  const ids = new Set(opened.map(({ head }) => head.id));
  for (const each of opened) {
    const { head, status } = each;
    const isKnown = head.parent === undefined || tasks.get(head.parent) !== undefined || sets.has(prefixOf(head.id));
    const { isAnew, isUndecided } = beginningOf(each, ids, fromScratch);
    const { epoch = 0, children = 0 } = status.family ?? {};
    const hasNodes = needsNoWorker(head) && !isAnew && children > 0;
    if (!isKnown || (hasNodes && !sets.has(childPrefix(head.id, epoch, nodesKey))))
      return refuse(
        "conflict",
        `Task ${head.id} ended under an older version, which kept too little of it.`,
        undefined,
        {
          hint: "Submit it anew.",
        },
      );
    const isThere = (id: TaskId): boolean => ids.has(id) || found.ends.has(id) || tasks.get(id) !== undefined;
    const gone = !isUndecided ? undefined : head.after?.find((id) => !isThere(id));
    const ending = refuseStillEnding(state, each);
    if (ending !== null) return ending;
    const unique = refuseReopening(state, head);
    if (unique !== null) return unique;
    if (gone !== undefined)
      return refuse("conflict", `Task ${head.id} waits for ${gone}, which is no longer there.`, undefined, {
        hint: "Submit it anew, without that task in `after`.",
      });
  }
  return null;
}

/** No attempt begins beside the process of the one before: one that was cancelled is given its time to end. */
function refuseStillEnding({ workers }: SchedulerState, { head: { id }, status }: Ended): Reply | null {
  const { host, boot, attempt } = status;
  const worker = host === undefined ? undefined : workers.get(host);
  if (worker === undefined || worker.boot !== boot || worker.isGivenUp) return null;
  if (!worker.mayHold({ task: id, attempt })) return null;
  const message = `Attempt ${attempt} of task ${id} is still ending on ${host}. Try again in a moment.`;
  return refuse("unavailable", message, undefined, { worker: worker.id });
}

/** True if nothing of what the store showed can have changed since: no task has ended, and none was opened by another retry. */
function isFresh({ tasks }: SchedulerState, { seq, tasks: found, ends }: FinishedTree): boolean {
  if (!tasks.recentlyFinished.covers(seq) || seq < tasks.forgottenAtSeq) return false;
  const isOld = (id: TaskId): boolean => (tasks.recentlyFinished.seqOf(id) ?? 0) <= seq;
  const isAsFound = (id: TaskId): boolean => isOld(id) && tasks.get(id) === undefined;
  return found.every(({ head }) => isAsFound(head.id)) && [...ends.keys()].every(isOld);
}

/** It had not ended when the store was asked, so it is not among what was found. */
function hasEndedSince({ tasks }: SchedulerState, id: TaskId, { seq }: FinishedTree): Reply | null {
  return (tasks.recentlyFinished.seqOf(id) ?? 0) > seq ? { kind: "look-again" } : null;
}

function problemOf({ head: { id, backupOf }, status }: Ended): Reply | null {
  if (backupOf !== undefined) {
    const hint = `Retry the task itself, if it has failed: outlast retry ${backupOf}`;
    return refuse("conflict", `Task ${id} was a backup of ${backupOf}, and only runs beside it.`, undefined, { hint });
  }
  if (status.state !== "success") return null;
  const hint = "Only what failed, was cancelled or was skipped is retried. Submit the task anew to run it again.";
  return refuse("conflict", `Task ${id} has ended as success.`, undefined, { hint });
}

/** Ids of the tasks above that have ended, the root first; or why the task cannot be open below them. */
function ancestorsOf(
  state: SchedulerState,
  { head }: Ended,
  byId: ReadonlyMap<TaskId, Ended>,
  found: FinishedTree,
): Reply | { readonly ended: readonly TaskId[] } {
  const ended: TaskId[] = [];
  for (let child = head; child.parent !== undefined; ) {
    const { parent } = child;
    const live = state.tasks.get(parent);
    if (live !== undefined) return isOpenFor(state, live, child) ? { ended } : goneOn(head.id, parent);
    const above = byId.get(parent);
    if (above === undefined)
      return (
        hasEndedSince(state, parent, found) ??
        refuse("not-found", `There is no task ${parent}, the parent of ${child.id}.`)
      );
    if (isRetriedWhole(above.head)) {
      const what = wholeName(above.head);
      const again = beginsAnew(above.head) ? "which begins from scratch" : "of which only what failed runs again";
      const hint = `Retry the ${what}, ${again}: outlast retry ${parent}`;
      return refuse("conflict", `Task ${child.id} is a task of the ${what} ${parent}.`, undefined, { hint });
    }
    ended.unshift(parent);
    child = above.head;
  }
  return { ended };
}

/** What is retried as a whole, for people. */
function wholeName({ kind, broadcast }: TaskHead): string {
  if (beginsAnew({ kind })) return "job";
  return broadcast === true ? "broadcast" : "graph";
}

/** True if the parent, which has not ended, still counts the children of this set and makes all that belong to it. */
function isOpenFor(state: SchedulerState, parent: LiveTask, child: TaskHead): boolean {
  if (parent.isGraph || isEnding(parent) || isBelowEnding(state, parent)) return false;
  const { families } = state;
  const prefix = prefixOf(child.id);
  // A set that has failed takes no more children, and its parent may have been told so of some that are not made.
  return families.recordOf(prefix) !== null && !families.at(prefix).isBroken;
}

/** Its parent has begun a new generation since, with children of its own. */
function refuseReplaced(
  { head: { id, parent } }: Ended,
  byId: ReadonlyMap<TaskId, Ended>,
  found: FinishedTree,
): Reply | null {
  const above = parent === undefined ? undefined : byId.get(parent);
  const record = found.sets.find(({ prefix }) => prefix === prefixOf(id))?.record;
  if (above === undefined || record === undefined) return null;
  const epoch = above.status.family?.epoch ?? 0;
  if (childPrefix(above.head.id, epoch, record.key) === prefixOf(id)) return null;
  const hint = `Retry ${above.head.id} instead.`;
  return refuse("conflict", `Task ${id} was replaced when ${above.head.id} began from scratch.`, undefined, { hint });
}

/** A set in which too many have failed ends all that is open in it: nothing is opened there before those that have failed. */
function refuseEndedSets(
  { families }: SchedulerState,
  found: FinishedTree,
  opened: readonly Ended[],
  id: TaskId,
): Reply | null {
  const closed = new Map(found.sets.map(({ prefix, record }) => [prefix, record]));
  const children = opened.filter(({ head }) => head.parent !== undefined);
  for (const [prefix, group] of Map.groupBy(children, ({ head }) => prefixOf(head.id))) {
    const set = families.recordOf(prefix) ?? closed.get(prefix);
    if (set?.onFailure !== "cancel") continue;
    const failed = set.failed - group.filter(({ status }) => status.state === "failed").length;
    if (failed <= (set.failuresMax ?? 0)) continue;
    const others =
      failed === 1 ? `another child of ${set.parent} has` : `${failed} other children of ${set.parent} have`;
    const hint = `Retry ${set.parent}, and with it all that has failed below it, or those children first.`;
    const message = `Task ${id} would be cancelled again: ${others} failed, which ends the rest of them.`;
    return refuse("conflict", message, undefined, { hint });
  }
  return null;
}

/** What has succeeded in spite of this task is opened again only for whoever names the task. */
function refuseSuccessAbove({ head }: Ended, above: readonly TaskId[], byId: ReadonlyMap<TaskId, Ended>): Reply | null {
  const success = above.find((each) => byId.get(each)?.status.state === "success");
  if (success === undefined) return null;
  const hint = `To run both again: outlast retry ${head.id}`;
  return refuse("conflict", `Task ${success} above it has succeeded without it.`, undefined, { hint });
}

function goneOn(id: TaskId, parent: TaskId): Reply {
  const hint = `Retry ${parent} once it has failed, or submit the task anew.`;
  const message = `Task ${id} cannot be retried: its parent ${parent} has not ended, and goes on without it.`;
  return refuse("conflict", message, undefined, { hint });
}
