/** How an attempt begins and the ways in which it ends. Each ending settles the attempt for good. */

import { type AttemptOutcome, handedBackCodes } from "../../model/attemptRecord.ts";
import { counted } from "../../model/counted.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { clockRatioMax, defaults } from "../../model/limits.ts";
import type { AbortReason, ResultItem } from "../../model/protocol.ts";
import type { AttemptError, ExitRecord } from "../../model/task.ts";
import { lossDelayMs, retryDelayMs } from "../backoff.ts";
import { raise } from "./alarms.ts";
import { recordAttempt, recordGivenUp } from "./attemptRecords.ts";
import { pinBlobs } from "./blobPins.ts";
import type { AssignedAttempt, Batch } from "./effects.ts";
import { finish, isBelowEnding, isEnding } from "./endings.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { SchedulerState } from "./state.ts";
import { suspend } from "./waits.ts";

/** An attempt that ended with its worker, or because that gave it up. */
const workerLost = "worker-lost";

/** A failure of which another attempt would meet the same again: the task fails at once. */
const finalErrors: readonly string[] = ["non-retryable", "child-failed", "output-too-large"];

/** Gives the task's next attempt to a worker that has a free slot. The task has left its line. */
export function beginAttempt(state: SchedulerState, batch: Batch, task: LiveTask, worker: LiveWorker): void {
  recordAttempt(batch, task);
  state.tasks.setState(task, "running");
  task.attempt += 1;
  task.isRecorded = false;
  task.share = 0;
  if (task.family !== null) task.family.beginAttempt();
  // Never before its task was created, also where the clock was set back since: an attempt's output is known by that.
  const assignedAt = Math.max(batch.now, task.createdAt);
  task.run = { host: worker.id, boot: worker.boot, assignedAt, startedAt: undefined, isAlone: worker.keptFor === task };
  state.lanes.takeTurn(worker);
  worker.hold(task);
  armBackstop(state, batch, task, batch.now);
  state.tasks.touch(task);
}

/** What a worker is told of the attempt that it is given, besides the task's name, kind and input. */
export function toAssigned(state: SchedulerState, task: LiveTask): AssignedAttempt {
  const { family, parent } = task;
  const isFamilyOpen = family !== null && (family.waits.length > 0 || state.families.of(task.id).size > 0);
  return {
    ...task.issued,
    timeoutMs: task.limits.timeoutMs,
    ...(family !== null && family.steps > 0 && { steps: family.steps }),
    ...(isFamilyOpen && { isFamilyOpen }),
    ...(parent !== null && { parent: parent.parent }),
    ...(task.backupOf !== null && { payloadOf: task.backupOf }),
    ...(task.links?.takesOutputs === true && { inputEpoch: family?.epoch ?? 0 }),
  };
}

/** The worker ends an attempt at its time-out; should it fail to, the leader does, a little later. */
export function armBackstop(state: SchedulerState, batch: Batch, task: LiveTask, since: number): void {
  const { timeoutMs } = task.limits;
  if (timeoutMs === null) return;
  const dueAt = since + Math.ceil(timeoutMs * clockRatioMax) + state.settings.timeoutBackstopMs;
  state.tasks.wakeAt(task, Math.max(dueAt, batch.now + 1));
}

/** The worker that runs the current attempt. */
export function workerOf(state: SchedulerState, task: LiveTask): LiveWorker | undefined {
  return task.run === null ? undefined : state.workers.get(task.run.host);
}

/** The worker reports how its current attempt ended. */
export function settleResult(state: SchedulerState, batch: Batch, task: LiveTask, result: ResultItem): void {
  // Its worker has outlived the attempt.
  task.losses = 0;
  switch (result.outcome) {
    case "success":
      leaveWorker(state, task);
      noteEnd(task, result);
      if (result.output !== undefined) pinBlobs(state, batch, task, result.output);
      if (task.backupOf !== null) return succeedAsBackup(state, batch, task, task.backupOf, result.output);
      return finish(state, batch, task, "success", result.output);
    case "failed":
      leaveWorker(state, task);
      noteEnd(task, result);
      return countFailure(state, batch, task, result);
    case "suspended":
      leaveWorker(state, task);
      noteEnd(task, result);
      task.uncounted += 1;
      if (!isBelowEnding(state, task)) return suspend(state, batch, task, result.waits ?? []);
      // Not running any more: its worker has nothing to end, and its slot is free.
      state.tasks.setState(task, "waiting");
      return cancelTask(state, batch, task);
    case "aborted":
      if (result.error !== undefined && handedBackCodes.includes(result.error.code))
        return handBack(state, batch, task, result.error);
      // Nobody here wanted that: the worker is leaving, or was told to by its operator. Not the task's fault.
      return killAttempt(state, batch, task, "Its worker gave the attempt up.", result.endedAt);
    default:
      result.outcome satisfies never;
  }
}

/** The worker has died under it. A task to which that happens again and again waits longer each time, and then runs alone. */
export function loseAttempt(state: SchedulerState, batch: Batch, task: LiveTask, message: string): void {
  const total = state.workers.losses;
  // Workers that died since its first loss, and did not run it.
  const others = total - task.firstLoss - task.losses;
  // Where others die as well, it is rather the machines than the task: its count begins anew.
  task.losses = task.losses === 0 || 2 * others > task.losses + 1 ? 1 : task.losses + 1;
  if (task.losses === 1) task.firstLoss = total;
  if (task.losses === defaults.lossesBeforeAlone) {
    const fields = { task: task.id, queue: task.queue.name, losses: task.losses };
    raise(batch, "suspect-task", "a task may be what takes its workers down: it lost them again and again", fields);
  }
  killAttempt(state, batch, task, message);
}

/** The worker is lost, or has left: the attempt is void, and the task runs again from scratch. */
export function killAttempt(
  state: SchedulerState,
  batch: Batch,
  task: LiveTask,
  why: string,
  endedAt = batch.now,
): void {
  leaveWorker(state, task);
  task.kills += 1;
  const { killsMax } = task.limits;
  if (killsMax !== null && task.kills > killsMax) {
    const message = `It lost its worker ${counted(task.kills, "time")}; ${killsMax} ${killsMax === 1 ? "is" : "are"} allowed.`;
    const error = { code: "kills-used-up", message };
    recordGivenUp(batch, task, { outcome: "killed", error, endedAt });
    task.last = { endedAt, error, exit: undefined, logBytes: undefined };
    return finish(state, batch, task, "failed");
  }
  const error = { code: workerLost, message: why };
  const last = { endedAt, error, exit: undefined, logBytes: undefined };
  const waitMs = lossDelayMs(task.id, task.attempt, task.losses);
  task.last = waitMs > 0 ? { ...last, retryAt: batch.now + waitMs } : last;
  runAgain(state, batch, task);
}

/** The task goes back into its lane, at once or after a wait, unless the outcome of its family is decided. */
function runAgain(state: SchedulerState, batch: Batch, task: LiveTask): void {
  state.tasks.setState(task, "killed");
  state.tasks.write(batch, task);
  // The task of a backup runs anyhow.
  if (isBelowEnding(state, task) || task.backupOf !== null) cancelTask(state, batch, task);
  else state.tasks.enqueue(task, task.last?.retryAt ?? 0, batch.now);
}

/** The worker could not begin with it: the task goes back into its lane, and nothing is counted against it. */
function handBack(state: SchedulerState, batch: Batch, task: LiveTask, { code, message }: AttemptError): void {
  leaveWorker(state, task);
  task.uncounted += 1;
  task.last = { endedAt: batch.now, error: { code, message }, exit: undefined, logBytes: undefined };
  runAgain(state, batch, task);
}

/** The attempt outlasted its time-out and its worker did not end it. */
export function timeOutAttempt(state: SchedulerState, batch: Batch, task: LiveTask): void {
  const message = `It ran longer than ${task.limits.timeoutMs} ms, and its worker did not end it.`;
  const error = { code: "timeout", message };
  abortOnWorker(state, batch, task, { reason: "timeout", outcome: "failed", error });
  task.last = { endedAt: batch.now, error, exit: undefined, logBytes: undefined };
  countFailure(state, batch, task, {});
}

/** Ends a task wherever it is in its life. It must not be final. */
export function cancelTask(state: SchedulerState, batch: Batch, task: LiveTask): void {
  if (task.family?.ending?.state === "cancelled") return;
  const error = { code: "cancelled", message: "It was cancelled." };
  stopTask(state, batch, task, { end: "cancelled", error, reason: "cancelled" });
}

/** Lets a task fail wherever it is in its life. It must not be final, nor its outcome be decided. */
export function failTask(state: SchedulerState, batch: Batch, task: LiveTask, error: AttemptError): void {
  stopTask(state, batch, task, { end: "failed", error, reason: "timeout" });
}

interface Stop {
  readonly end: "cancelled" | "failed";
  readonly error: AttemptError;
  /** What the worker is told that runs it. */
  readonly reason: AbortReason;
}

function stopTask(state: SchedulerState, batch: Batch, task: LiveTask, { end, error, reason }: Stop): void {
  if (task.state === "running") abortOnWorker(state, batch, task, { reason, outcome: end, error });
  else {
    recordAttempt(batch, task);
    state.tasks.unplace(task);
  }
  task.last = { endedAt: batch.now, error, exit: undefined, logBytes: undefined };
  finish(state, batch, task, end);
}

/** A backup has succeeded: its task ends with its result, and what runs of the task itself is ended. */
function succeedAsBackup(
  state: SchedulerState,
  batch: Batch,
  backup: LiveTask,
  of: TaskId,
  output: Json | undefined,
): void {
  finish(state, batch, backup, "success", output);
  const task = state.tasks.get(of);
  if (task?.backup?.id !== backup.id || isEnding(task)) return;
  if (task.state === "running") abortOnWorker(state, batch, task, { reason: "killed", outcome: "success" });
  else {
    recordAttempt(batch, task);
    state.tasks.unplace(task);
  }
  task.backup = { id: backup.id, isWinner: true };
  task.last = { endedAt: batch.now, error: undefined, exit: undefined, logBytes: undefined };
  if (output !== undefined) pinBlobs(state, batch, task, output);
  finish(state, batch, task, "success", output);
}

interface Abort {
  /** What its worker is told. */
  readonly reason: AbortReason;
  /** How the attempt is remembered. */
  readonly outcome: AttemptOutcome;
  readonly error?: AttemptError;
}

/** Takes the attempt from its worker and tells it so. Where it cannot be told now, it is told when its stream opens. */
function abortOnWorker(state: SchedulerState, batch: Batch, task: LiveTask, { reason, ...end }: Abort): void {
  recordGivenUp(batch, task, end);
  state.tasks.unplace(task);
  const worker = workerOf(state, task);
  if (worker === undefined) return;
  worker.releaseDying(task, reason);
  if (task.run?.boot === worker.boot) state.holds.add(batch, task);
  if (!worker.isOpen || worker.session === null) return;
  const { session } = worker;
  batch.out.effects.push({ kind: "abort", worker: worker.id, session, reason, attempts: [task.issued] });
}

/** The attempt no longer counts for its worker, nor its time-out for the task. */
function leaveWorker(state: SchedulerState, task: LiveTask): void {
  state.tasks.unplace(task);
  const worker = workerOf(state, task);
  if (worker === undefined) return;
  worker.release(task);
}

function countFailure(
  state: SchedulerState,
  batch: Batch,
  task: LiveTask,
  { error, retryAfterMs }: Pick<ResultItem, "error" | "retryAfterMs">,
): void {
  task.failures += 1;
  const isFinal = error !== undefined && finalErrors.includes(error.code);
  if (isFinal || task.failures >= task.limits.attemptsMax) return finish(state, batch, task, "failed");
  const delayMs = retryAfterMs ?? retryDelayMs(task.id, task.attempt, task.failures, task.limits);
  const retryAt = batch.now + delayMs;
  if (task.last !== null) task.last = { ...task.last, retryAt };
  state.tasks.setState(task, "retrying");
  state.tasks.write(batch, task);
  if (isBelowEnding(state, task)) cancelTask(state, batch, task);
  else state.tasks.enqueue(task, retryAt, batch.now);
}

function noteEnd(task: LiveTask, result: ResultItem): void {
  if (task.run !== null) task.run = { ...task.run, startedAt: result.startedAt };
  // Field by field: what a report says beyond them is not to be kept.
  const error = result.error && { code: result.error.code, message: result.error.message };
  const exit = result.exit && exitOf(result.exit);
  const exits = result.exits?.map(exitOf);
  task.last = {
    endedAt: result.endedAt,
    error,
    exit,
    logBytes: result.logBytes,
    ...(exits !== undefined && { exits }),
  };
}

/** Without what a newer worker may have added. */
function exitOf({ code, signal, bounds }: ExitRecord): ExitRecord {
  if (bounds === undefined) return { code, signal };
  const { memory, processes } = bounds;
  return {
    ...{ code, signal },
    bounds: { ...(memory !== undefined && { memory }), ...(processes !== undefined && { processes }) },
  };
}
