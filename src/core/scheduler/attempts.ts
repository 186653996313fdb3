/** How an attempt begins and the ways in which it ends. Each ending settles the attempt for good. */
import type { AbortReason, ResultItem } from "../../model/protocol.ts";
import type { AttemptError } from "../../model/task.ts";
import { retryDelayMs } from "../backoff.ts";
import type { Board } from "./board.ts";
import type { Batch } from "./effects.ts";
import type { LiveTask } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";

/** Gives the task's next attempt to a worker that has a free slot. The task has left its line. */
export function beginAttempt(board: Board, batch: Batch, task: LiveTask, worker: LiveWorker): void {
  board.tasks.setState(task, "running");
  task.attempt += 1;
  task.run = { host: worker.id, boot: worker.boot, assignedAt: batch.now, startedAt: undefined };
  worker.hold(task);
  board.workers.takeTurn(worker);
  board.workers.updateFree(worker);
  armBackstop(board, batch, task, batch.now);
  board.tasks.touch(task);
}

/** The worker ends an attempt at its time-out; should it fail to, the leader does, a little later. */
export function armBackstop(board: Board, batch: Batch, task: LiveTask, since: number): void {
  const { timeoutMs } = task.limits;
  if (timeoutMs === null) return;
  const dueAt = since + timeoutMs + board.settings.timeoutBackstopMs;
  board.tasks.wakeAt(task, Math.max(dueAt, batch.now + 1));
}

/** The worker that runs the current attempt. */
export function workerOf(board: Board, task: LiveTask): LiveWorker | undefined {
  return task.run === null ? undefined : board.workers.get(task.run.host);
}

/** The worker reports how its current attempt ended. */
export function settleResult(board: Board, batch: Batch, task: LiveTask, result: ResultItem): void {
  switch (result.outcome) {
    case "success":
      leaveWorker(board, task);
      noteEnd(task, result);
      board.tasks.setState(task, "success");
      return board.tasks.write(batch, task, result.output);
    case "failed":
      leaveWorker(board, task);
      noteEnd(task, result);
      return countFailure(board, batch, task);
    case "aborted":
      // Nobody here wanted that: the worker is leaving, or was told to by its operator. Not the task's fault.
      return killAttempt(board, batch, task, { code: "worker-lost", message: "Its worker gave the attempt up." });
    default:
      result.outcome satisfies never;
  }
}

/** The worker is lost, or has left: the attempt is void, and the task runs again from scratch. */
export function killAttempt(board: Board, batch: Batch, task: LiveTask, error: AttemptError): void {
  leaveWorker(board, task);
  task.kills += 1;
  const { killsMax } = task.limits;
  if (killsMax !== null && task.kills > killsMax) {
    const message = `It lost its worker ${task.kills} times; ${killsMax} are allowed.`;
    task.last = { endedAt: batch.now, error: { code: "kills-used-up", message }, exit: undefined, logBytes: undefined };
    board.tasks.setState(task, "failed");
    return board.tasks.write(batch, task);
  }
  task.last = { endedAt: batch.now, error, exit: undefined, logBytes: undefined };
  board.tasks.setState(task, "killed");
  board.tasks.write(batch, task);
  board.queues.enqueue(task);
}

/** The attempt outlasted its time-out and its worker did not end it. */
export function timeOutAttempt(board: Board, batch: Batch, task: LiveTask): void {
  abortOnWorker(board, batch, task, "timeout");
  const message = `It ran longer than ${task.limits.timeoutMs} ms, and its worker did not end it.`;
  task.last = { endedAt: batch.now, error: { code: "timeout", message }, exit: undefined, logBytes: undefined };
  countFailure(board, batch, task);
}

/** Ends a task wherever it is in its life. It must not be final. */
export function cancelTask(board: Board, batch: Batch, task: LiveTask): void {
  if (task.state === "running") abortOnWorker(board, batch, task, "cancelled");
  else board.tasks.unplace(task);
  task.last = {
    endedAt: batch.now,
    error: { code: "cancelled", message: "It was cancelled." },
    exit: undefined,
    logBytes: undefined,
  };
  board.tasks.setState(task, "cancelled");
  board.tasks.write(batch, task);
}

/** Takes the attempt from its worker and tells it so. Where it cannot be told now, it is told when its stream opens. */
function abortOnWorker(board: Board, batch: Batch, task: LiveTask, reason: AbortReason): void {
  board.tasks.unplace(task);
  const worker = workerOf(board, task);
  if (worker === undefined) return;
  worker.releaseDying(task, reason);
  board.workers.updateFree(worker);
  if (!worker.isOpen || worker.session === null) return;
  const attempts = [{ task: task.id, attempt: task.attempt }];
  batch.out.effects.push({ kind: "abort", worker: worker.id, session: worker.session, reason, attempts });
}

/** The attempt no longer counts for its worker, nor its time-out for the task. */
function leaveWorker(board: Board, task: LiveTask): void {
  board.tasks.unplace(task);
  const worker = workerOf(board, task);
  if (worker === undefined) return;
  worker.release(task);
  board.workers.updateFree(worker);
}

function countFailure(board: Board, batch: Batch, task: LiveTask): void {
  task.failures += 1;
  if (task.failures >= task.limits.attemptsMax) {
    board.tasks.setState(task, "failed");
    return board.tasks.write(batch, task);
  }
  const retryAt = batch.now + retryDelayMs(task.id, task.attempt, task.failures, task.limits);
  if (task.last !== null) task.last = { ...task.last, retryAt };
  board.tasks.setState(task, "retrying");
  board.tasks.write(batch, task);
  board.tasks.enqueue(task, retryAt, batch.now);
}

function noteEnd(task: LiveTask, result: ResultItem): void {
  if (task.run !== null) task.run = { ...task.run, startedAt: result.startedAt };
  // Field by field: what a report says beyond them is not to be kept.
  const error = result.error && { code: result.error.code, message: result.error.message };
  const exit = result.exit && { code: result.exit.code, signal: result.exit.signal };
  task.last = { endedAt: result.endedAt, error, exit, logBytes: result.logBytes };
}
