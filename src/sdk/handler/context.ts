/** What a handler is given besides its input: `ctx`. */
import type { Json } from "../../model/json.ts";
import type { ChildCall, OutputOf } from "./call.ts";

/** Milliseconds, or a text such as `10m`, `1h30m`, `250ms`. */
export type Duration = number | string;

export interface StepOptions {
  /** How often the step may fail within this attempt of the task, the first run included; 1 if left out. */
  readonly attemptsMax?: number;
  /** The wait before the second run, doubled for each further one, at most `backoffMaxMs`; 1 s and 1 min if left out. */
  readonly backoffBaseMs?: number;
  readonly backoffMaxMs?: number;
  /** A run that takes longer fails. Its `signal` is aborted; what does not heed that goes on in the background. */
  readonly timeoutMs?: number;
}

export interface StepRun {
  /** 1 for the first run of the step in this attempt of the task. */
  readonly attempt: number;
  /** Fires when the step's time is over or the attempt is aborted. */
  readonly signal: AbortSignal;
}

export interface ChildrenOptions {
  /** So many children run at a time; unbounded if left out. */
  readonly concurrencyMax?: number;
  /**
   * When a child fails, or more than `failuresMax` do: `wait` lets the others run on, `cancel` cancels them. If left out: `cancel` with a
   * `failuresMax`, else `wait`.
   */
  readonly onFailure?: "wait" | "cancel";
  /**
   * True: when nearly all have ended and one takes much longer than the others did, another worker does the same as well, and the
   * first result counts. Only for children that may run twice at a time. False if left out.
   */
  readonly backups?: boolean;
}

export interface TolerantChildrenOptions extends ChildrenOptions {
  /**
   * So many children may fail: the result of a failed or cancelled one is null. With more, the call fails, and the rest is cancelled
   * unless `onFailure` is `wait`. With `Infinity` all run to their end.
   */
  readonly failuresMax: number;
}

/** The results of many children, read page by page and never held whole. May be read several times. */
export interface ChildResults<Output> extends AsyncIterable<Output> {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** So many of those that succeeded did so with the result of a backup. */
  readonly byBackup: number;
}

export interface SignalOptions {
  /** After this the wait rejects with `SignalTimeoutError`; unbounded if left out. */
  readonly timeoutMs?: Duration;
  /** The key of this wait; the name of the signal if left out. Needed to wait for two signals of one name. */
  readonly key?: string;
}

/** Paths are relative to the attempt's folder, with slashes; no part is empty, `.` or `..`. */
export interface AttemptFiles {
  /** An empty folder of this attempt, as an absolute path: made at its first use, and removed when the attempt has ended. */
  folder(): Promise<string>;
  /**
   * Puts a blob into the folder and gives the file's absolute path.
   * @param reference `sha256:` and 64 hex digits, as it stands in the input
   * @param path where to put it; a name that follows from the reference if left out
   * @throws NonRetryableError if there is no such blob
   */
  input(reference: string, path?: string): Promise<string>;
  /**
   * Keeps a file of the folder as an artifact of the task: listed and downloadable once the task has succeeded with this very
   * attempt. So call it in every attempt, outside of steps, and behind all durable waits.
   * @returns its reference, which other tasks take as their input, and its size in bytes
   */
  publish(path: string): Promise<{ readonly blob: string; readonly size: number }>;
}

/**
 * Keys name steps, waits and sets of children. They are found again by their key in every later attempt, in whatever order; a
 * key may be used once in an attempt. 1 to `limits.stepKeyLengthMax` characters.
 */
export interface TaskContext {
  readonly taskId: string;
  /** The task that this one is a child of; null if it has no parent. */
  readonly parentId: string | null;
  /** 1 for the first start of the task. Suspensions and lost workers count as well. */
  readonly attempt: number;
  /** Grows with each attempt of the task: give it to stores that refuse writers with an older one. */
  readonly fence: number;
  /** When the attempt's time is over, in ms since 1970 by the worker's clock; null without a time-out. */
  readonly deadlineAt: number | null;
  /** Names this attempt in its trace, for requests that belong to it: https://www.w3.org/TR/trace-context; null without a trace. */
  readonly traceparent: string | null;
  /** Fires when the task is cancelled, its time is over, or its worker stops. The process is killed a few seconds later. */
  readonly abortSignal: AbortSignal;

  /**
   * Runs `run` once and remembers its result, a JSON value, for all later attempts. Resolves when the result is committed.
   * @throws what `run` threw the last time; NonRetryableError if the result is too large or no JSON
   */
  step<Result>(key: string, run: (step: StepRun) => Result | Promise<Result>, options?: StepOptions): Promise<Result>;

  /** Runs one child and gives its result. No worker is held meanwhile. @throws ChildFailedError */
  run<Call extends ChildCall>(key: string, child: Call): Promise<OutputOf<Call>>;

  /**
   * Runs children and gives their results in order. No worker is held meanwhile. With an array the results come as an array;
   * from any other iterable, of up to `limits.childrenMax` children, tasks are created as it yields them, and the results come
   * as an async iterable.
   * @throws ChildFailedError once the set has ended
   */
  all<const Calls extends readonly ChildCall[]>(
    key: string,
    children: Calls,
    options: TolerantChildrenOptions,
  ): Promise<{ -readonly [Index in keyof Calls]: OutputOf<Calls[Index]> | null }>;
  all<const Calls extends readonly ChildCall[]>(
    key: string,
    children: Calls,
    options?: ChildrenOptions,
  ): Promise<{ -readonly [Index in keyof Calls]: OutputOf<Calls[Index]> }>;
  all<Call extends ChildCall>(
    key: string,
    children: Iterable<Call> | AsyncIterable<Call>,
    options: TolerantChildrenOptions,
  ): Promise<ChildResults<OutputOf<Call> | null>>;
  all<Call extends ChildCall>(
    key: string,
    children: Iterable<Call> | AsyncIterable<Call>,
    options?: ChildrenOptions,
  ): Promise<ChildResults<OutputOf<Call>>>;

  /**
   * Creates an independent task, once however often the handler runs. It is not waited for and outlives this task.
   * @returns its id, the same in every attempt
   */
  submit(key: string, task: ChildCall): Promise<string>;

  /** Resolves after this long, counted from the first attempt that came here. No worker is held meanwhile. */
  sleep(key: string, duration: Duration): Promise<void>;

  /**
   * Waits for a signal that is sent to this task; one that came before is taken at once. No worker is held meanwhile.
   * @returns the signal's payload
   * @throws SignalTimeoutError
   */
  waitFor<Payload = Json>(name: string, options?: SignalOptions): Promise<Payload>;

  /** Files of this attempt. */
  readonly files: AttemptFiles;

  /** Says how far this attempt is, for people. Not durable; only the latest counts, and about one a second is sent. */
  progress(done: number, total?: number, text?: string): void;

  /** Writes a line to the attempt's log, as `console.log` does. */
  log(...values: unknown[]): void;
}
