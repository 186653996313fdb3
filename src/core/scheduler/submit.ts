/** New tasks come in: all of a submission or none, and each only once however often it is sent. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import type { FinalState, TaskSpec } from "../../model/task.ts";
import { refuseMissingBlob } from "./blobPins.ts";
import { createTask, shortageFor } from "./creation.ts";
import type { Batch, Reply, SubmittedTask } from "./effects.ts";
import type { Lookup, SchedulerInput } from "./inputs.ts";
import { refuse, type SchedulerState } from "./state.ts";
import { cancelReplaced, resolveUnique } from "./uniqueKeys.ts";

export function submit(
  state: SchedulerState,
  batch: Batch,
  { specs, lookup, by }: Pick<Extract<SchedulerInput, { kind: "submit" }>, "specs" | "lookup" | "by">,
): Reply {
  if (lookup !== null && !state.tasks.recentlyFinished.covers(lookup.seq)) return { kind: "look-again" };

  const created = new Map<TaskId, string | null>();
  const unknown: TaskSpec[] = [];
  const answer: SubmittedTask[] = [];
  for (const spec of specs) {
    // An id that we made ourselves cannot have been there before.
    const known = spec.fingerprint === null ? undefined : knownFingerprint(state, spec.id, lookup, created);
    if (known === undefined) {
      created.set(spec.id, spec.fingerprint);
      unknown.push(spec);
    } else if (known !== spec.fingerprint) {
      const what = created.has(spec.id) ? "stands in this request twice" : "exists already";
      return refuse("conflict", `Task ${spec.id} ${what}, and was asked for differently.`, undefined, { id: spec.id });
    }
    answer.push({ id: spec.id, isNew: known === undefined });
  }
  const unique = resolveUnique(state, unknown, by);
  if ("kind" in unique) return unique;
  const { fresh } = unique;
  const missing = refuseMissingBlob(state, fresh);
  if (missing !== null) return missing;
  const shortage = shortageFor(state, fresh);
  if (shortage !== null) return refuse("too-many", shortage.message, shortage.limit);
  const before = endsBefore(state, fresh, lookup);
  if ("kind" in before) return before;
  for (const [id, end] of before.ends) if (end !== "success") state.dependencies.noteFailure(batch, id, end);
  for (const spec of fresh) createTask(state, batch, spec);
  cancelReplaced(state, batch, unique);
  return { kind: "submitted", tasks: answer.map((each) => unique.answers.get(each.id) ?? each) };
}

/** How the tasks have ended that these wait for, as far as they have; or why one of them cannot be waited for. */
function endsBefore(
  { tasks, dependencies }: SchedulerState,
  fresh: readonly TaskSpec[],
  lookup: Lookup | null,
): Reply | { readonly ends: ReadonlyMap<TaskId, FinalState> } {
  const ends = new Map<TaskId, FinalState>();
  const missing = new Set<string>();
  const earlier = new Set<TaskId>();
  let pins = 0;
  for (const spec of fresh) {
    for (const id of spec.after ?? []) {
      pins += 1;
      if (earlier.has(id)) continue;
      const queue = tasks.get(id)?.queue.name ?? tasks.recentlyFinished.queue(id);
      // What lies outside of the rights of a task is unknown to it.
      if (queue !== undefined && !coversQueue(spec.rights?.queues, queue)) missing.add(id);
      if (tasks.get(id) !== undefined) continue;
      const end = tasks.recentlyFinished.state(id) ?? lookup?.ended?.get(id);
      if (end === undefined) missing.add(id);
      // One that the store has found may have been forgotten since.
      else if (tasks.recentlyFinished.state(id) === undefined && (lookup?.seq ?? 0) < tasks.forgottenAtSeq)
        return { kind: "look-again" };
      else ends.set(id, end);
    }
    earlier.add(spec.id);
  }
  if (missing.size > 0) {
    const [first = ""] = missing;
    const shown = [...missing].slice(0, limits.problemsShownMax).join(", ");
    const rest = missing.size > limits.problemsShownMax ? `, and ${missing.size - limits.problemsShownMax} more` : "";
    const hint = "A task can wait for tasks that exist, and for those before it in the same request.";
    return refuse("invalid", `There is no task to wait for: ${shown}${rest}.`, undefined, { id: first, hint });
  }
  if (pins > 0 && dependencies.pinned.size + pins > limits.pinnedTasksMax) {
    const message = `Unfinished tasks wait for too many others (${limits.pinnedTasksMax}).`;
    return refuse("too-many", message, "pinnedTasksMax");
  }
  return { ends };
}

/** What the task of this id was created from; undefined if there is none, null if its id was ours. */
function knownFingerprint(
  state: SchedulerState,
  id: TaskId,
  lookup: Lookup | null,
  created: ReadonlyMap<TaskId, string | null>,
): string | null | undefined {
  const live = state.tasks.get(id);
  if (live !== undefined) return live.fingerprint;
  if (created.has(id)) return created.get(id);
  const settled = state.tasks.recentlyFinished.fingerprint(id);
  if (settled !== undefined) return settled;
  return lookup?.found.get(id);
}
