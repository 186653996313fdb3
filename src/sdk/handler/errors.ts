/** The errors that handlers throw on purpose, and those that `ctx` throws. They are told apart by a mark, so that copies of this package agree. */
import type { AttemptError } from "../../model/task.ts";
import { legible } from "../../model/thrown.ts";

const mark = Symbol.for("outlast.handler-error");

/** Fails the task at once: no further attempt is made. */
export class NonRetryableError extends Error {
  readonly [mark] = "non-retryable";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NonRetryableError";
  }
}

/** Fails the attempt; the next one starts after `delayMs` instead of after the back-off. Counts as a failure of the task. */
export class RetryLaterError extends Error {
  readonly [mark] = "retry-later";
  /** Milliseconds. */
  readonly delayMs: number;

  constructor(delayMs: number, message = `try again in ${delayMs} ms`, options?: ErrorOptions) {
    super(message, options);
    this.name = "RetryLaterError";
    this.delayMs = delayMs;
  }
}

/**
 * A child failed or was cancelled. Uncaught, it fails the parent at once: another attempt would meet the same child. The others
 * of its set have ended, too.
 */
export class ChildFailedError extends Error {
  readonly [mark] = "child-failed";
  /** The key of the set. */
  readonly key: string;
  /** The child's id; null if no child failed and some were cancelled. */
  readonly id: string | null;
  /** Its index in the set; 0 for `ctx.run`. */
  readonly index: number | null;
  /** Why the child failed; null if that is not known. */
  readonly error: AttemptError | null;

  constructor(key: string, failed: { id: string; index: number; error?: AttemptError } | null, message: string) {
    super(message);
    this.name = "ChildFailedError";
    this.key = key;
    this.id = failed?.id ?? null;
    this.index = failed?.index ?? null;
    this.error = failed?.error ?? null;
  }
}

/** No signal came in time. */
export class SignalTimeoutError extends Error {
  /** The name of the signal. */
  readonly signal: string;

  constructor(signal: string) {
    super(`No signal "${signal}" came in time.`);
    this.name = "SignalTimeoutError";
    this.signal = signal;
  }
}

/** A task whose result was asked for ended without one. */
export class TaskFailedError extends Error {
  readonly id: string;
  readonly state: "failed" | "cancelled";
  readonly error: AttemptError | null;

  constructor(id: string, state: "failed" | "cancelled", error: AttemptError | null) {
    super(error === null ? `Task ${id} was ${state}.` : `Task ${id} was ${state}: ${error.message}`);
    this.name = "TaskFailedError";
    this.id = id;
    this.state = state;
    this.error = error;
  }
}

/** What becomes of an attempt whose handler threw `error`. */
export function toFailure(error: unknown): { readonly error: AttemptError; readonly retryAfterMs?: number } {
  const message = describeThrown(error);
  switch (markOf(error)) {
    case "non-retryable":
    case "child-failed":
      return { error: { code: "non-retryable", message } };
    case "retry-later": {
      const { delayMs } = error as RetryLaterError;
      const isDelay = Number.isFinite(delayMs) && delayMs >= 0;
      return { error: { code: "retry-later", message }, ...(isDelay && { retryAfterMs: Math.round(delayMs) }) };
    }
    default:
      return { error: { code: "error", message } };
  }
}

/** True for errors after which another try of the same makes no sense. */
export function isFinalError(error: unknown): boolean {
  const found = markOf(error);
  return found === "non-retryable" || found === "child-failed";
}

function markOf(error: unknown): unknown {
  try {
    return typeof error === "object" && error !== null ? (error as { [mark]?: unknown })[mark] : undefined;
  } catch {
    // One that cannot even be asked was made by nobody here.
    return undefined;
  }
}

function describeThrown(error: unknown): string {
  return legible(() => {
    if (!(error instanceof Error)) return `The handler threw ${legible(() => error)}.`;
    return error.name === "Error" || markOf(error) !== undefined ? error.message : `${error.name}: ${error.message}`;
  });
}
