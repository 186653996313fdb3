/** What a worker's shell needs of its machine: somewhere to run attempts, and a disk that remembers results. */
import type { Incarnation } from "../model/ids.ts";
import type { Assignment, AttemptEnd, AttemptRef, LogChunk, ResultItem } from "../model/protocol.ts";

/** Runs attempts. Kill really kills: after `onEnd` no process of the attempt is alive. */
export interface Executor {
  /**
   * Starts one attempt; `onEnd` is called exactly once, before this returns for what takes no time. Never throws: what cannot
   * be started ends as `failed`.
   */
  start(assignment: Assignment, onEnd: (end: AttemptEnd) => void): void;
  /** Ends an attempt: SIGTERM to its process group, SIGKILL after `graceMs`. It then ends as `aborted`. */
  abort(attempt: AttemptRef, graceMs: number): void;
  /** Ends everything at once; resolves when nothing is left. */
  stop(): Promise<void>;
}

/** Results that masters have not settled yet; survives the death of the worker's process. */
export interface Outbox {
  /** Reads what an earlier life left. @throws if the file is damaged anywhere but at its torn end */
  open(): Promise<OutboxContent>;
  /** Keeps results; on disk when it returns. */
  put(results: readonly ResultItem[]): Promise<void>;
  /** Forgets settled ones. */
  remove(attempts: readonly AttemptRef[]): Promise<void>;
  /** Remembers the highest epoch seen, and of which store; on disk when it returns. */
  saveEpoch(incarnation: Incarnation, epoch: number): Promise<void>;
  close(): Promise<void>;
}

export interface OutboxContent {
  readonly results: readonly ResultItem[];
  readonly epochMax: number;
  readonly incarnation: Incarnation | null;
}

/** Output of attempts on its way to a master: spooled on disk with a bound, read again from any offset. */
export interface LogSpool {
  /** Adds output; past the bound it is dropped and the log marked as cut. */
  write(attempt: AttemptRef, at: number, bytes: Uint8Array): void;
  /** The next pieces to send, over all attempts, at most `maxBytes`; empty if there are none. */
  take(maxBytes: number): readonly LogChunk[];
  /** These are stored by a master; when an attempt is over and all of it is stored, its file goes. */
  stored(chunks: readonly LogChunk[]): void;
  /** No more output will come. Returns the whole length in bytes. */
  end(attempt: AttemptRef): number;
  close(): void;
}
