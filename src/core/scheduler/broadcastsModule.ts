/**
 * Broadcasts: a task that runs once on every worker. It is a graph whose nodes are found when it starts: one for each worker that
 * is there then, with the worker's own label among what it requires. So a node runs there and nowhere else, in all its attempts.
 */

import { childId, childPrefix, nodesKey } from "../../model/family.ts";
import { type TaskId, type WorkerId, workerLabel, workerOf } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import { limits } from "../../model/limits.ts";
import type { TaskSpec } from "../../model/task.ts";
import { failTask } from "./attempts.ts";
import { addTask, shortageFor } from "./creation.ts";
import type { Batch } from "./effects.ts";
import { isBelowEnding, releaseNext } from "./endings.ts";
import { Family } from "./family.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";

export const broadcastsModule = {
  step(state, batch) {
    const { nextCheckAt } = state.broadcasts;
    if (nextCheckAt !== null && batch.now >= nextCheckAt) endAbandoned(state, batch);
  },
  nextWakeAt: ({ broadcasts }) => broadcasts.nextCheckAt,
} satisfies SchedulerModule;

/** It leaves its lane: its nodes are made, all in this entry, so that no leader ever finds some of them. */
export function beginBroadcast(
  state: SchedulerState,
  batch: Batch,
  task: LiveTask,
  { input, traceparent }: Pick<TaskSpec, "input" | "traceparent">,
): void {
  if (task.state !== "created" || task.heapIndex !== -1 || isBelowEnding(state, task)) return;
  const workers = [...state.workers].filter((worker) => counts(worker, task)).map(({ id }) => id);
  // They have all gone since it left its lane, or others have filled the entry.
  if (workers.length === 0 || isFull(batch)) return state.lanes.enqueue(task);
  task.family ??= new Family();
  const { epoch } = task.family;
  const prefix = childPrefix(task.id, epoch, nodesKey);
  const specs = workers.toSorted().map((worker, index) => {
    const own = { id: childId(prefix, index), input, createdAt: batch.now };
    return specFor(task, worker, { ...own, ...(traceparent !== undefined && { traceparent }) });
  });
  const problem = problemOf(state, task, input, specs);
  if (problem !== null) return failTask(state, batch, task, { code: "too-many", message: problem });
  const options = { onFailure: "continue", failuresMax: null, concurrencyMax: null } as const;
  const set = state.families.create(task.id, epoch, nodesKey, options);
  for (const spec of specs) addTask(state, batch, spec);
  set.created = specs.length;
  set.isSealed = true;
  task.family.children += specs.length;
  state.tasks.setState(task, "waiting");
  state.tasks.touch(task);
  state.families.touch(set);
  releaseNext(state, batch, set);
  state.broadcasts.open.add(task.id);
}

/** A worker that is out of reach for the moment counts: it was there, and nobody has given it up. */
function counts(worker: LiveWorker, { lane }: LiveTask): boolean {
  return !worker.isGivenUp && !worker.record.isDraining && worker.offer.couldRun(lane);
}

function specFor(
  task: LiveTask,
  worker: WorkerId,
  own: Pick<TaskSpec, "id" | "input" | "createdAt" | "traceparent">,
): TaskSpec {
  const { lane, priority, limits: taskLimits, rights, key, keyUse } = task;
  return {
    ...own,
    ...{ name: worker, kind: lane.kind, queue: lane.queue.name, priority, startAt: null },
    requires: [...new Set([...lane.requires, workerLabel(worker)])].sort(),
    ...(key !== null && keyUse !== null && { concurrencyKey: key, concurrencyMax: keyUse.max }),
    ...{ limits: taskLimits, fingerprint: null, parent: task.id, depth: task.depth + 1 },
    ...(rights !== undefined && { rights }),
  };
}

function problemOf(state: SchedulerState, task: LiveTask, input: Json, specs: readonly TaskSpec[]): string | null {
  if (task.depth + 1 >= limits.familyDepthMax)
    return `A family has at most ${limits.familyDepthMax} generations, and the tasks of this broadcast would be one more.`;
  if (specs.length > limits.broadcastWorkersMax)
    return `${specs.length} workers could take it; a broadcast reaches at most ${limits.broadcastWorkersMax}. Choose fewer with "requires".`;
  const bytes = jsonBytes(input) * specs.length;
  if (bytes > limits.broadcastBytesMax)
    return `Its input comes to ${bytes} bytes on ${specs.length} workers; ${limits.broadcastBytesMax} are allowed. Put what is large into a file.`;
  return shortageFor(state, specs)?.message ?? null;
}

/** A node whose worker has gone for good, or offers something else by now, would wait for ever: it fails. */
function endAbandoned(state: SchedulerState, batch: Batch): void {
  const { broadcasts, settings } = state;
  // What nobody could see, as while the store was away, does not count.
  const elapsedMs = Math.min(batch.now - broadcasts.checkedAt, 2 * limits.broadcastCheckMs);
  broadcasts.checkedAt = batch.now;
  const away = new Map<TaskId, { readonly ms: number; readonly sight: string }>();
  for (const node of openNodes(state)) {
    const id = workerOf(node.lane.requires);
    const worker = id === null ? undefined : state.workers.get(id);
    if (!isAway(worker, node)) continue;
    // A worker that has come back in between begins anew, however short that was, and so does a node that was retried.
    const sight = `${node.ordinal} ${worker?.boot} ${worker?.session ?? worker?.record.changedAt}`;
    const before = broadcasts.away.get(node.id);
    const awayMs = before?.sight === sight ? before.ms + elapsedMs : 0;
    if (awayMs < settings.broadcastAwayMs || isFull(batch)) {
      away.set(node.id, { ms: awayMs, sight });
      continue;
    }
    const message = `It was for worker ${id}, which has been away for ${Math.round(settings.broadcastAwayMs / 1000)} s, or no longer takes such tasks.`;
    failTask(state, batch, node, { code: "worker-gone", message });
  }
  broadcasts.away = away;
}

/** Those that do not run: what runs on a worker ends with it. */
function* openNodes({ broadcasts, tasks, families }: SchedulerState): Generator<LiveTask> {
  for (const id of broadcasts.open) {
    const set = families.find(id, tasks.get(id)?.family?.epoch ?? 0, nodesKey);
    if (set === undefined || set.open === 0) broadcasts.open.delete(id);
    for (let index = 0; index < (set?.created ?? 0); index += 1) {
      const node = set === undefined ? undefined : tasks.get(set.childAt(index));
      if (node !== undefined && node.state !== "running" && node.family?.isEnding !== true) yield node;
    }
  }
}

function isAway(worker: LiveWorker | undefined, { lane }: LiveTask): boolean {
  return worker === undefined || worker.isGivenUp || !worker.offer.couldRun(lane);
}
