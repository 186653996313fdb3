/** New tasks come in: all of a submission or none, and each only once however often it is sent. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { Batch, Reply, SubmittedTask } from "./effects.ts";
import type { Lookup } from "./inputs.ts";
import { tooManyQueues } from "./queuesModule.ts";
import { refuse, type SchedulerState } from "./state.ts";

export function submit(state: SchedulerState, batch: Batch, specs: readonly TaskSpec[], lookup: Lookup | null): Reply {
  if (state.tasks.size + specs.length > limits.liveTasksMax) {
    return refuse("too-many", `Too many unfinished tasks (${limits.liveTasksMax}).`, "liveTasksMax");
  }
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
  if (state.queues.wouldOverflow(fresh.map((spec) => spec.queue))) {
    return tooManyQueues();
  }
  if (state.lanes.size + state.lanes.countNew(fresh) > limits.lanesMax) {
    const message = `Too many combinations of queue, kind and required labels (${limits.lanesMax}) among unfinished tasks.`;
    return refuse("too-many", message, "lanesMax");
  }

  for (const spec of fresh) {
    batch.out.writes.push({ kind: "spec", spec });
    const task = state.tasks.add(spec);
    state.tasks.enqueueNew(task, batch.now);
    state.tasks.touch(task);
  }
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
