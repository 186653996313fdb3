/** New tasks: whether there is room for them, and how one comes into the world, whoever asked for it. */
import { limits } from "../../model/limits.ts";
import type { TaskHead, TaskSpec } from "../../model/task.ts";
import { pinBlobs } from "./blobPins.ts";
import type { Batch } from "./effects.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerState } from "./state.ts";

export interface Shortage {
  readonly message: string;
  /** The limit that would be passed. */
  readonly limit: keyof typeof limits;
}

/** What these tasks, which are new or open again, all together, would be too many for; null if there is room. */
export function shortageFor({ tasks, queues, lanes }: SchedulerState, heads: readonly TaskHead[]): Shortage | null {
  if (tasks.size + heads.length > limits.liveTasksMax)
    return { message: `Too many unfinished tasks (${limits.liveTasksMax}).`, limit: "liveTasksMax" };
  if (queues.wouldOverflow(heads.map(({ queue }) => queue)))
    return { message: `Too many queues (${limits.queuesMax}).`, limit: "queuesMax" };
  if (lanes.size + lanes.countNew(heads) > limits.lanesMax) {
    const message = `Too many combinations of queue, kind and required labels (${limits.lanesMax}) among unfinished tasks.`;
    return { message, limit: "lanesMax" };
  }
  return null;
}

/** Creates a task that stands in line at once, when its time comes, or when all that it waits for has ended. */
export function createTask(state: SchedulerState, batch: Batch, spec: TaskSpec): LiveTask {
  const task = addTask(state, batch, spec);
  if (task.links === null) state.tasks.enqueueNew(task, batch.now);
  return task;
}

/** Creates a task that is let into its lane by its set. */
export function addTask(state: SchedulerState, batch: Batch, spec: TaskSpec): LiveTask {
  batch.out.writes.push({ kind: "spec", spec });
  pinBlobs(state, batch, spec, spec.input);
  const task = state.tasks.add(spec);
  if (state.webhooks.isWatching) state.webhooks.watch(task);
  if (task.links !== null) {
    state.tasks.setState(task, "blocked");
    state.dependencies.block(task, (id) => state.tasks.get(id) !== undefined);
  }
  state.tasks.touch(task);
  return task;
}
