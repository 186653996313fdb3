/** New tasks come in: all of a submission or none, and each only once however often it is sent. */
import type { TaskId } from "../../model/ids.ts";
import type { TaskSpec } from "../../model/task.ts";
import { createTask, shortageFor } from "./creation.ts";
import type { Batch, Reply, SubmittedTask } from "./effects.ts";
import type { Lookup } from "./inputs.ts";
import { refuse, type SchedulerState } from "./state.ts";

export function submit(state: SchedulerState, batch: Batch, specs: readonly TaskSpec[], lookup: Lookup | null): Reply {
  if (lookup !== null && !state.tasks.recentlyFinished.covers(lookup.seq)) return { kind: "look-again" };

  const created = new Map<TaskId, string | null>();
  const fresh: TaskSpec[] = [];
  const answer: SubmittedTask[] = [];
  for (const spec of specs) {
    // An id that we made ourselves cannot have been there before.
    const known = spec.fingerprint === null ? undefined : knownFingerprint(state, spec.id, lookup, created);
    if (known === undefined) {
      created.set(spec.id, spec.fingerprint);
      fresh.push(spec);
    } else if (known !== spec.fingerprint) {
      const what = created.has(spec.id) ? "stands in this request twice" : "exists already";
      return refuse("conflict", `Task ${spec.id} ${what}, and was asked for differently.`, undefined, { id: spec.id });
    }
    answer.push({ id: spec.id, isNew: known === undefined });
  }
  const shortage = shortageFor(state, fresh);
  if (shortage !== null) return refuse("too-many", shortage.message, shortage.limit);
  for (const spec of fresh) createTask(state, batch, spec);
  return { kind: "submitted", tasks: answer };
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
