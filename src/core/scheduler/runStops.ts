/**
 * Jobs of services that go on although their task is over. The worker that runs the attempt stops its job; where there is none, or it
 * is lost before it has done so, a task is created for that, which any worker takes that knows the service.
 */
import { stopId } from "../../model/family.ts";
import type { WorkerId } from "../../model/ids.ts";
import { type OpenRun, remoteKind, remoteLabel, remoteStopKindName } from "../../model/kinds/remote.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { TaskSpec } from "../../model/task.ts";
import { createTask } from "./creation.ts";
import type { Batch } from "./effects.ts";
import type { LiveTask } from "./liveTask.ts";
import type { SchedulerState } from "./state.ts";

/** What an attempt says of its job. */
export function noteRun(state: SchedulerState, batch: Batch, task: LiveTask, run: OpenRun | "left" | null): void {
  if (task.lane.kind !== remoteKind.name) return;
  if (run === "left" && task.openRun !== null) createStop(state, batch, stopOf(task, task.openRun, batch));
  task.openRun = run === "left" ? null : run;
}

/** The task has ended: its job must, too. */
export function stopRun(state: SchedulerState, batch: Batch, task: LiveTask): void {
  const { openRun, run } = task;
  if (openRun === null) return;
  const stop = stopOf(task, openRun, batch);
  const worker = run === null ? undefined : state.workers.get(run.host);
  const mayHold = worker?.boot === run?.boot && worker?.mayHold(task.issued) === true && !worker.isGivenUp;
  const isDying = task.state === "running" && mayHold;
  if (isDying) state.holds.addStop(batch, task, stop);
  else createStop(state, batch, stop);
}

/** The worker has ended its attempt without having stopped the job, or it is not known whether it has. */
export function createStop(state: SchedulerState, batch: Batch, stop: TaskSpec): void {
  // A task may have ended twice in one entry, with the same job.
  if (state.tasks.get(stop.id) === undefined) createTask(state, batch, { ...stop, createdAt: batch.now });
}

/** The worker is gone that was to stop jobs of tasks that are over. */
export function endHoldsOf(state: SchedulerState, batch: Batch, worker: WorkerId): void {
  for (const stop of state.holds.endOf(batch, worker)) createStop(state, batch, stop);
}

/** Comes before all else in its queue, and is tried for long: nobody else looks after the job. */
function stopOf({ id, queue, rights }: LiveTask, run: OpenRun, { now, out }: Batch): TaskSpec {
  const { service, key, handle } = run;
  return {
    id: stopId(remoteStopKindName, id, out.seq),
    name: `stop the job of ${id}`.slice(0, limits.nameLengthMax),
    kind: remoteStopKindName,
    input: { service, key, ...(handle !== undefined && { handle }) },
    queue: queue.name,
    requires: [remoteLabel(service)],
    priority: limits.priorityMax,
    createdAt: now,
    startAt: null,
    deadlineMs: defaults.remoteStopDeadlineMs,
    limits: {
      attemptsMax: limits.attemptsMaxMax,
      backoffBaseMs: defaults.runRetryBaseMs,
      backoffFactor: 2,
      backoffMaxMs: defaults.runRetryMaxMs,
      timeoutMs: null,
      killsMax: null,
    },
    fingerprint: null,
    ...(rights !== undefined && { rights }),
  };
}
