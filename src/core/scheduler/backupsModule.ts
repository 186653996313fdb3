/**
 * Backups. When nearly all children of a set have ended and one takes much longer than the others did, the same work is given to
 * another worker as well, as a task of its own that counts nowhere. Whichever succeeds first gives the task its result, in the entry of
 * that success; the other one is ended. After J. Dean and S. Ghemawat, "MapReduce", section 3.6, and LATE (M. Zaharia et al., OSDI'08):
 * those come first whose end is furthest away.
 */
import { backupId, indexOf } from "../../model/family.ts";
import { defaults } from "../../model/limits.ts";
import type { TaskSpec } from "../../model/task.ts";
import { beginAttempt, cancelTask, toAssigned } from "./attempts.ts";
import { addTask, shortageFor } from "./creation.ts";
import { send } from "./dispatch.ts";
import type { Batch } from "./effects.ts";
import type { ChildSet } from "./families.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { SchedulerModule } from "./module.ts";
import type { SchedulerState } from "./state.ts";

export const backupsModule = {
  takeUp(state, _batch, { id, backupOf }) {
    if (backupOf !== null && state.tasks.get(backupOf)?.backup?.id !== id)
      throw new Error(`Backup ${id} is there, and its task ${backupOf} does not know it.`);
  },
  step(state, batch) {
    for (const id of state.backups.takeUseless()) {
      const backup = state.tasks.get(id);
      if (backup !== undefined) cancelTask(state, batch, backup);
    }
    state.backups.nextLookAt = null;
    for (const set of state.families.withBackups) if (isNearlyOver(set)) look(state, batch, set);
  },
  nextWakeAt: ({ backups }) => backups.nextLookAt,
} satisfies SchedulerModule;

/** True if all that is left of the set runs, and that is little. */
function isNearlyOver(set: ChildSet): boolean {
  const { open, created, ended, isSealed, isBroken } = set;
  if (!isSealed || isBroken || open === 0 || (set.unfinished.running ?? 0) < open) return false;
  return ended >= defaults.backupEndedShare * created;
}

interface Slow {
  readonly task: LiveTask;
  readonly leftMs: number;
}

function look(state: SchedulerState, batch: Batch, set: ChildSet): void {
  const { typicalMs } = set;
  if (typicalMs === null) return;
  const slowMs = Math.max(defaults.backupAfterMs, defaults.backupAfterFactor * typicalMs);
  const slow: Slow[] = [];
  let backups = 0;
  for (const task of runningOf(state, set)) {
    if (task.backup !== null) {
      if (state.tasks.get(task.backup.id) !== undefined) backups += 1;
      continue;
    }
    // A second run would break what its key promises, or take another worker down with it.
    if (task.keyUse !== null || task.isSuspect) continue;
    const ranMs = batch.now - (task.run?.assignedAt ?? batch.now);
    const leftMs = task.share > 0 ? (ranMs * (1 - task.share)) / task.share : Number.POSITIVE_INFINITY;
    if (ranMs <= slowMs) lookAgain(state, batch.now + slowMs - ranMs + 1);
    else if (leftMs > typicalMs) slow.push({ task, leftMs });
    else lookAgain(state, batch.now + defaults.backupLookMs);
  }
  slow.sort((one, other) => other.leftMs - one.leftMs || (one.task.id < other.task.id ? -1 : 1));
  const most = Math.max(1, Math.floor(defaults.backupsShare * set.open));
  for (const { task } of slow) {
    const worker = backups < most ? workerFor(state, task) : null;
    if (worker !== null && begin(state, batch, set, task, worker)) backups += 1;
    else lookAgain(state, batch.now + defaults.backupLookMs);
  }
}

function lookAgain({ backups }: SchedulerState, at: number): void {
  backups.nextLookAt = Math.min(backups.nextLookAt ?? at, Math.ceil(at));
}

function* runningOf({ workers }: SchedulerState, set: ChildSet): Generator<LiveTask> {
  for (const worker of workers)
    for (const task of worker.tasks.values()) if (task.parent === set && task.state === "running") yield task;
}

/** Another worker that has nothing better to do; of several, the one that runs the least. */
function workerFor({ workers, lanes }: SchedulerState, { lane, run }: LiveTask): LiveWorker | null {
  if (lanes.hasMatch || !lane.queue.isOpen) return null;
  let best: LiveWorker | null = null;
  for (const worker of workers) {
    const isFree = worker.isEligible && worker.keptFor === null && worker.hasFreeSlot;
    if (!isFree || worker.id === run?.host || !worker.offer.serves(lane)) continue;
    if (best === null || worker.usedSlots < best.usedSlots) best = worker;
  }
  return best;
}

/** @returns false if there is no room for another task */
function begin(state: SchedulerState, batch: Batch, set: ChildSet, task: LiveTask, worker: LiveWorker): boolean {
  const spec = specOf(task, set, batch.now);
  if (shortageFor(state, [spec]) !== null) return false;
  const backup = addTask(state, batch, spec);
  task.backup = { id: backup.id };
  state.tasks.touch(task);
  state.rates.noteStart(backup.queue, batch.now);
  beginAttempt(state, batch, backup, worker);
  send(batch, worker, [toAssigned(state, backup)]);
  return true;
}

/** The task itself may try again; its backup has one attempt. What it is given comes from the payload of the task. */
function specOf(task: LiveTask, { key }: ChildSet, now: number): TaskSpec {
  const { lane, priority, rights } = task;
  return {
    id: backupId(task.id),
    name: `backup of ${key} ${indexOf(task.id)}`,
    kind: lane.kind,
    input: null,
    queue: lane.queue.name,
    ...(lane.requires.length > 0 && { requires: lane.requires }),
    priority,
    createdAt: now,
    startAt: null,
    limits: { ...task.limits, attemptsMax: 1, killsMax: 0 },
    fingerprint: null,
    ...(rights !== undefined && { rights }),
    backupOf: task.id,
  };
}
