/** What a worker needs of its machine: executors for attempts, and a disk that keeps results. */
import type { ChildrenPage, StepsPage } from "../model/family.ts";
import type { Incarnation } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import type {
  AbortCause,
  Assignment,
  AttemptContent,
  AttemptEnd,
  AttemptRef,
  ItemAnswer,
  LogChunk,
  LoggedAttempt,
  ResultItem,
} from "../model/protocol.ts";

/** Runs attempts. Kill really kills: once an attempt has ended, no process of it is alive. */
export interface Executor {
  /** The kinds of tasks that it can run. */
  readonly kinds: readonly string[];
  /**
   * Starts one attempt. `session.end` is called exactly once, before this returns for what takes no time. Never throws: what
   * cannot be started ends as `failed`, or as `aborted` if that is the machine's fault.
   */
  start(assignment: Assignment, session: AttemptSession): void;
  /** Ends an attempt: SIGTERM to its process group, SIGKILL after `graceMs`. It then ends as `aborted`. */
  abort(attempt: AttemptRef, graceMs: number, cause: AbortCause): void;
  /** Ends everything at once; resolves when nothing is left. */
  stop(): Promise<void>;
}

/** How a running attempt talks with the leader. It outlives connections and masters; what waits is sent again by itself. */
export interface AttemptSession {
  /** The attempt is over, and nothing of it is alive. What it sent before still arrives, and its result after that. */
  end(end: AttemptEnd): void;
  /**
   * Sends an item; the leader takes an attempt's items in the order of these calls. Resolves when the leader has answered,
   * however long none can be reached, or at once if the item is refused here.
   */
  send(content: AttemptContent): Promise<ItemAnswer>;
  /** Says something that needs no answer. Only the latest counts; it is sent at most once per `progressMs`. */
  tell(content: AttemptContent): void;
  /** What the task remembers; pages of one attempt do not change. Tries again until a leader answers. @throws AttemptOver */
  readSteps(after: string | null): Promise<StepsPage>;
  /** How the children of a set have ended. @throws AttemptOver */
  readChildren(key: string, from: number): Promise<ChildrenPage>;
  /** Takes the leader's messages to this attempt; those that came before this call are handed on at once. */
  onMessage(listener: (message: MessageToAttempt) => void): void;
}

/** The leader has given the attempt up, or it has ended: what it asked for is of no use any more. */
export class AttemptOver extends Error {}

export interface MessageToAttempt {
  readonly id: string;
  readonly body: Json;
}

/** Results without a verdict yet; they survive the death of the worker's process. */
export interface Outbox {
  /** Reads what an earlier process left. @throws if the file is damaged anywhere except at its incomplete end */
  open(): Promise<OutboxContent>;
  /** Keeps results; on disk when it returns. */
  put(results: readonly ResultItem[]): Promise<void>;
  /** Forgets settled ones. */
  remove(attempts: readonly AttemptRef[]): Promise<void>;
  /** Keeps the highest epoch seen, and the store it belongs to; on disk when it returns. */
  saveEpoch(incarnation: Incarnation, epoch: number): Promise<void>;
  close(): Promise<void>;
}

export interface OutboxContent {
  readonly results: readonly ResultItem[];
  readonly epochMax: number;
  readonly incarnation: Incarnation | null;
}

/** Output of attempts on its way to a master: kept on disk up to a limit, readable from any offset. */
export interface LogSpool {
  /**
   * Adds output; past the bound it is dropped and the log marked as cut. While a returned promise is pending, the disk is behind
   * and no more should be added.
   */
  write(attempt: LoggedAttempt, at: number, bytes: Uint8Array): Promise<void> | undefined;
  /** The next pieces to send, over all attempts, at most `maxBytes`; empty if there are none. Never rejects. */
  take(maxBytes: number): readonly LogChunk[] | Promise<readonly LogChunk[]>;
  /** These are stored by a master; when an attempt is over and all of it is stored, its file goes. */
  stored(pieces: readonly SpooledPieceRef[]): void;
  /** No more output will come. Returns the whole length in bytes. */
  end(attempt: LoggedAttempt): number;
  /** Keeps what has not been sent for the next process. Resolves with false if the disk does not answer. */
  close(): boolean | Promise<boolean>;
}

export interface SpooledPieceRef extends LoggedAttempt {
  readonly offset: number;
}
