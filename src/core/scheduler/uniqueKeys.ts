/**
 * Unique keys: of the unfinished tasks of a queue with one key there is one that counts. What becomes of another submission with that
 * key is said by its `onConflict`. Besides the one that counts there may be tasks that are ending: it starts when they have ended.
 */
import { rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { TaskHead, TaskSpec } from "../../model/task.ts";
import { cancelTask } from "./attempts.ts";
import type { Batch, Reply, SubmittedTask } from "./effects.ts";
import { isEnding } from "./endings.ts";
import { keyGroup } from "./keyGroups.ts";
import type { LiveTask } from "./liveTask.ts";
import { refuseTask } from "./rights.ts";
import { refuse, type SchedulerState } from "./state.ts";

/** What becomes of tasks that are about to be created, as far as their unique keys go. */
export interface UniqueOutcome {
  /** Those that are created. */
  readonly fresh: readonly TaskSpec[];
  /** What is answered for the others, and for those that replace one. */
  readonly answers: ReadonlyMap<TaskId, SubmittedTask>;
  /** To be cancelled once the new tasks are there. */
  readonly replaced: readonly LiveTask[];
}

/** @returns why they are refused, all of them; or what becomes of each. Changes nothing. */
export function resolveUnique(
  state: SchedulerState,
  specs: readonly TaskSpec[],
  by: Actor | undefined,
): Reply | UniqueOutcome {
  const fresh: TaskSpec[] = [];
  const answers = new Map<TaskId, SubmittedTask>();
  const replaced: LiveTask[] = [];
  /** Of the tasks of this request. */
  const own = new Map<string, TaskId>();
  for (const spec of specs) {
    const group = groupOf(spec);
    const holder = group === null ? undefined : (own.get(group) ?? ownerOf(state, group)?.id);
    if (group === null || holder === undefined) {
      if (group !== null) own.set(group, spec.id);
      fresh.push(spec);
      continue;
    }
    const isOwn = own.has(group);
    switch (spec.onConflict ?? "existing") {
      case "existing":
        answers.set(spec.id, { id: holder, isNew: false, isExisting: true });
        break;
      case "replace": {
        const task = state.tasks.get(holder);
        const refusal =
          isOwn || task === undefined ? sameRequest(spec, holder) : refuseReplacing(state, by, spec, task);
        if (refusal !== null || task === undefined) return refusal ?? sameRequest(spec, holder);
        replaced.push(task);
        answers.set(spec.id, { id: spec.id, isNew: true, replaced: holder });
        own.set(group, spec.id);
        fresh.push(spec);
        break;
      }
      case "refuse":
        return isOwn ? sameRequest(spec, holder) : refuseConflict(spec, holder);
    }
  }
  return { fresh, answers, replaced };
}

/** To be called when the new tasks are there, so that whatever waits for a replaced one is told of its end. */
export function cancelReplaced(state: SchedulerState, batch: Batch, { replaced }: UniqueOutcome): void {
  for (const task of replaced) cancelTask(state, batch, task);
}

/** For a task that a handler makes: it may replace what its own owner has made, and nothing that it belongs to itself. */
export function refuseForHandler(parent: LiveTask, { replaced }: UniqueOutcome): string | null {
  for (const { id, rights } of replaced) {
    if (rootOf(parent.id) === id) return `Task ${id} cannot replace itself by a task of its own.`;
    if (parent.rights !== undefined && rights?.owner !== parent.rights.owner)
      return `Task ${id} was submitted by somebody else.`;
  }
  return null;
}

/** Why a finished task cannot be open again: another one with its key has not ended, and is not about to. */
export function refuseReopening(state: SchedulerState, { id, queue, uniqueKey }: TaskHead): Reply | null {
  const owner = uniqueKey === undefined ? undefined : ownerOf(state, keyGroup(queue, uniqueKey));
  if (owner === undefined || isEnding(owner)) return null;
  const message = `Task ${id} cannot be retried: task ${owner.id} has its unique key ${JSON.stringify(uniqueKey)}, and has not ended.`;
  return refuse("conflict", message, undefined, { id: owner.id, hint: "Wait for its end." });
}

function ownerOf({ tasks }: SchedulerState, group: string): LiveTask | undefined {
  let owner: LiveTask | undefined;
  for (const task of tasks.withUniqueKey(group)) if (owner === undefined || !isEnding(task)) owner = task;
  return owner;
}

function groupOf({ queue, uniqueKey }: TaskSpec): string | null {
  return uniqueKey === undefined ? null : keyGroup(queue, uniqueKey);
}

function refuseReplacing(
  state: SchedulerState,
  by: Actor | undefined,
  { after = [], id }: TaskSpec,
  task: LiveTask,
): Reply | null {
  if (after.includes(task.id)) {
    const message = `Task ${id} cannot wait for task ${task.id}, which it replaces.`;
    return refuse("invalid", message, undefined, { id, hint: "Leave it out of `after`." });
  }
  return by === undefined ? null : refuseTask(state, by, task.id);
}

function refuseConflict({ queue, uniqueKey = "" }: TaskSpec, holder: TaskId): Reply {
  const message = `Task ${holder} of queue ${queue} has the unique key ${JSON.stringify(uniqueKey)}, and has not ended.`;
  const hint = 'Wait for its end, or submit with onConflict "existing" or "replace".';
  return refuse("conflict", message, undefined, { id: holder, hint });
}

function sameRequest({ id, uniqueKey = "" }: TaskSpec, holder: TaskId): Reply {
  const message = `Tasks ${holder} and ${id} of this request have the same unique key ${JSON.stringify(uniqueKey)}.`;
  return refuse("conflict", message, undefined, { id, hint: 'Submit one of them, or use onConflict "existing".' });
}
