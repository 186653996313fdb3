/** One attempt of a task as people look back on it: where it ran, when, and how it ended. */
import type { AttemptError } from "./attemptError.ts";
import type { BootId, TaskId, WorkerId } from "./ids.ts";
import { limits } from "./limits.ts";
import { machineFault, type ResultItem, unsupportedKind } from "./protocol.ts";
import type { ExitRecord, TaskStatus } from "./task.ts";

/**
 * success, failed  by its own doing; a time-out is a failure
 * suspended        it gave its worker back until something that it waits for is there
 * killed           its worker was lost, or gave it up
 * aborted          its worker could not run it; nothing is counted against the task
 * cancelled        while it ran
 */
export const attemptOutcomes = ["success", "failed", "suspended", "killed", "aborted", "cancelled"] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

export interface AttemptRecord {
  /** 1, 2, 3 … */
  readonly attempt: number;
  readonly worker: WorkerId;
  /** The life of that worker. */
  readonly boot: BootId;
  /** By the leader's clock. */
  readonly assignedAt: number;
  /** By the worker's clock; left out where the worker was lost before it said so. */
  readonly startedAt?: number;
  /** By the worker's clock, or by the leader's where the worker did not say it; left out while it runs. */
  readonly endedAt?: number;
  /**
   * Of an attempt that was given up: when its process really ended, by the worker's clock. Left out where its worker did not say it, as
   * one of an older version, and where the attempt ended with its process.
   */
  readonly processEndedAt?: number;
  /** Left out while it runs. */
  readonly outcome?: AttemptOutcome;
  /** The message is cut at `limits.attemptMessageLengthMax`. */
  readonly error?: AttemptError;
  readonly exit?: ExitRecord;
  /** Of several commands: how each ended that was started, in order. */
  readonly exits?: readonly ExitRecord[];
  /** Bytes of log that it wrote. */
  readonly logBytes?: number;
}

/** With the task that it belongs to. */
export interface TaskAttempt extends AttemptRecord {
  readonly task: TaskId;
  /** Of the task. */
  readonly name: string;
}

/** An attempt that has ended. */
export type EndedAttempt = TaskAttempt & Required<Pick<TaskAttempt, "endedAt" | "outcome">>;

/** Codes of errors of an attempt that its worker could not begin with: they say nothing of the task. */
export const handedBackCodes: readonly string[] = [unsupportedKind, machineFault];

/** True for the result of an attempt that its worker could not begin with: it never had a process. */
export function wasHandedBack({ outcome, error }: Pick<ResultItem, "outcome" | "error">): boolean {
  return outcome === "aborted" && error !== undefined && handedBackCodes.includes(error.code);
}

/**
 * The current or last attempt, which stands in the status until the next one begins. Null if there is none, or if it has a record
 * of its own already, because the status says of its task what is no longer about it.
 */
export function lastAttemptOf(status: TaskStatus): AttemptRecord | null {
  const {
    attempt,
    host,
    boot,
    assignedAt,
    startedAt,
    endedAt,
    error,
    exit,
    exits,
    logBytes,
    isRecorded = false,
  } = status;
  if (attempt === 0 || isRecorded || host === undefined || boot === undefined || assignedAt === undefined) return null;
  const begun = { attempt, worker: host, boot, assignedAt };
  const outcome = outcomeOf(status);
  if (outcome === null) return begun;
  const { code, message } = error ?? {};
  const cut = message?.slice(0, limits.attemptMessageLengthMax).toWellFormed();
  return {
    ...begun,
    ...(startedAt !== undefined && { startedAt }),
    endedAt: endedAt ?? status.changedAt,
    outcome,
    ...(code !== undefined && cut !== undefined && { error: { code, message: cut } }),
    ...(exit !== undefined && { exit }),
    ...(exits !== undefined && { exits }),
    ...(logBytes !== undefined && { logBytes }),
  };
}

/** When the attempt ended that `lastAttemptOf` tells of; null if there is none, or while it runs. */
export function attemptEndOf(status: TaskStatus): number | null {
  if (status.attempt === 0 || status.state === "running" || status.isRecorded === true) return null;
  return status.host === undefined ? null : (status.endedAt ?? status.changedAt);
}

/** Null while the attempt runs. */
function outcomeOf({ state, family, error }: TaskStatus): AttemptOutcome | null {
  switch (state) {
    case "running":
      return null;
    case "success":
    case "cancelled":
      return state;
    case "skipped":
      return "cancelled";
    case "failed":
      return error?.code === "kills-used-up" ? "killed" : "failed";
    case "retrying":
      return "failed";
    case "killed":
      return error !== undefined && handedBackCodes.includes(error.code) ? "aborted" : "killed";
    case "waiting":
      return family?.ending === undefined || family.ending === "skipped" ? "suspended" : family.ending;
    // Not seen after an attempt: what leads there records the attempt first.
    case "created":
    case "blocked":
      return "aborted";
    default:
      return state satisfies never;
  }
}

/** The ids of a task's attempts sort by their number. */
export function attemptRecordId(task: TaskId, attempt: number): string {
  return `${task}/${String(attempt).padStart(attemptDigits, "0")}`;
}

const attemptDigits = 9;
