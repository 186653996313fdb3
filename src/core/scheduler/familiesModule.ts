/** Families: signals come in, running attempts ask what is under way, decided outcomes reach all descendants. */
import type { OpenFamily, PendingSignal } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { cancelTask } from "./attempts.ts";
import { pinBlobs } from "./blobPins.ts";
import type { Batch, Reply } from "./effects.ts";
import { isBelowEnding, isEnding, isStoppedNode, releaseNext, skip } from "./endings.ts";
import type { ChildSet } from "./families.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { wakeIfDue } from "./waits.ts";

export const familiesModule = {
  inputs: {
    signal: (state, batch, { request, task, signal }) => reply(batch, request, takeSignal(state, batch, task, signal)),
    "inspect-family": (state, batch, input) => reply(batch, input.request, inspectFamily(state, input)),
  },
  takeUp(_state, _batch, child) {
    if (child.parent !== null && child.state !== "created") keepPlace(child, child.parent);
  },
  activate(state, batch) {
    for (const set of state.families) {
      if ((set.isBroken || set.isStopped) && set.open > 0) state.walks.add(set);
      if (!set.isBroken) releaseNext(state, batch, set);
    }
  },
  step(state, batch) {
    state.walks.walk(state.tasks, (set, child) => endChild(state, batch, set, child));
  },
  // A walk goes on with the next entry.
  nextWakeAt: ({ walks }) => (walks.isWalking ? 0 : null),
} satisfies SchedulerModule;

/** A child that has begun holds its place, also before one that stands ahead of it and has been opened again. */
function keepPlace(child: LiveTask, set: ChildSet): void {
  child.isReleased = true;
  set.active += 1;
}

/** The outcome above it is decided: a child that has not ended is cancelled. */
function endChild(state: SchedulerState, batch: Batch, set: ChildSet, child: LiveTask): void {
  const parent = state.tasks.get(set.parent);
  if (set.isGraph && !isEnding(parent)) {
    // Blocked ones are decided once all that they wait for has ended.
    if (child.state === "created" && isStoppedNode(child))
      skip(state, batch, child, "another task of the graph has failed.");
    return;
  }
  // A walk over many goes on for a while, and meanwhile a retry may have opened again what it has yet to come to.
  if (!isBelowEnding(state, child)) return;
  // A success with children that nobody waited for lets those that run come to their end.
  const isSuccess = parent?.family?.ending?.state === "success" && !set.isBroken;
  if (isSuccess && child.state === "running") return;
  cancelTask(state, batch, child);
}

function takeSignal(state: SchedulerState, batch: Batch, id: TaskId, signal: PendingSignal): Reply {
  const task = state.tasks.get(id);
  if (task === undefined) return refuse("not-found", `There is no unfinished task ${id}.`);
  if (state.signals.isKnown(id, signal.id)) return { kind: "done" };
  if (isEnding(task)) return refuse("already-final", `The outcome of task ${id} is decided already.`);
  if (state.signals.pendingCount(id) >= limits.signalsMax) {
    return refuse("too-many", `${limits.signalsMax} signals wait for task ${id} already.`, "signalsMax");
  }
  pinBlobs(state, batch, task, signal.payload);
  state.signals.add(batch, id, signal);
  wakeIfDue(state, batch, task);
  return { kind: "done" };
}

function inspectFamily(
  state: SchedulerState,
  { worker: id, session, attempt }: Extract<SchedulerInput, { kind: "inspect-family" }>,
): Reply {
  const worker = state.workers.get(id);
  if (worker === undefined || worker.session !== session || worker.isGivenUp) {
    return refuse("stale-session", `Session ${session} of worker ${id} is over; attach again.`);
  }
  const task = worker.tasks.get(attempt.task);
  if (task === undefined || task.attempt !== attempt.attempt) {
    return refuse("conflict", `Attempt ${attempt.attempt} of task ${attempt.task} is over.`);
  }
  return { kind: "family", epoch: task.family?.epoch ?? 0, family: openFamily(state, task) };
}

function openFamily(state: SchedulerState, task: LiveTask): OpenFamily {
  const sets = [...state.families.of(task.id)].map(({ key, created, fingerprint, isSealed }) => {
    return { key, created, fingerprint, isSealed };
  });
  const sleeps = (task.family?.waits ?? []).flatMap((wait) =>
    wait.kind === "sleep" ? [{ key: wait.key, until: wait.until }] : [],
  );
  return { sets, sleeps };
}
