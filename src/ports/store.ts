/** The hole in the wall that stores fit into. Whatever can refuse a taken slot can be a store. */
import type { Entry, OutgoingEntry } from "../model/entry.ts";
import type { Incarnation, Nonce, TaskId } from "../model/ids.ts";
import type { Lease } from "../model/lease.ts";
import type { MemberRecord } from "../model/member.ts";
import type { LogChunk } from "../model/protocol.ts";
import type { FinalState, TaskDocument, TaskHead, TaskPayload, TaskState, TaskStatus } from "../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../model/worker.ts";

/**
 * Duties of every driver; the contract suite in `proof/contracts/` holds each of them to these.
 *
 * - `append` refuses a second entry with the same `seq`, whoever asks, also across processes.
 * - An entry is durable (it survives the power going) before `append` answers `committed`.
 * - The view (tasks, workers, queues) shows every committed entry to every later read of this driver.
 * - After an error the same bytes may be appended again: an entry that had gone in after all then answers `taken`,
 *   and reading it shows the caller's own nonce.
 */
export interface Store {
  /** Opens, checks and, where needed, migrates. @throws StoreRefused for a corrupt, newer or misplaced store */
  open(): Promise<StoreIdentity>;
  close(): Promise<void>;

  /**
   * Puts one entry into its slot and brings the view up to date with it.
   * `taken` means that another entry stands there. @throws StoreUnavailable if it is not known whether it went in
   */
  append(entry: OutgoingEntry): Promise<"committed" | "taken">;
  /** The last entry; null for an empty journal. */
  readTail(): Promise<Entry | null>;
  /** Entries with `seq >= fromSeq`, ascending, at most `max`, fewer where they are large but one at least. Starts later than `fromSeq` if that has been compacted away. */
  readEntries(fromSeq: number, max: number): Promise<Entry[]>;
  /** Removes entries with `seq < belowSeq`, at most `max` a call; the last entry always stays. Returns how many went. */
  compact(belowSeq: number, max: number): Promise<number>;

  /** All that a leader needs to start: unfinished tasks, every worker and queue, and counts of finished tasks. */
  loadView(): Promise<LiveView>;

  readTask(id: TaskId): Promise<TaskDocument | null>;
  /** Payloads by id, for those of `ids` that exist. */
  readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>>;
  /** For those of `ids` that exist: what they were created from (null if the id was ours). With the seq this was true at. */
  findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }>;
  listTasks(query: TaskQuery): Promise<TaskPage>;

  /** Stores pieces of logs; one that is there already (same task, attempt and offset) is left as it is. */
  appendLogs(chunks: readonly LogChunk[]): Promise<void>;
  /** Pieces with `offset >= fromOffset`, ascending, until `maxBytes` are reached (always at least one if there is one). */
  readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]>;

  /** Finished tasks to be forgotten, at most `max`, those created first first. */
  findExpired(retention: Retention, max: number): Promise<ExpiredTask[]>;

  /** What masters tell of themselves, for each other and for people. */
  writeMember(member: MemberRecord): Promise<void>;
  readMembers(): Promise<MemberRecord[]>;
  removeMember(nonce: Nonce): Promise<void>;

  /** The lease is a hint for liveness; nothing that matters rests on it. */
  readLease(): Promise<Lease | null>;
  writeLease(lease: Lease): Promise<void>;
}

export interface StoreIdentity {
  readonly incarnation: Incarnation;
  /** For people: `sqlite /path/to/outlast.db`. */
  readonly name: string;
  /** For people and benchmarks: `WAL, synchronous=FULL`. */
  readonly durability: string;
}

export interface LiveTask {
  readonly head: TaskHead;
  readonly status: TaskStatus;
  /** Of the entry that wrote this status. */
  readonly seq: number;
}

export interface LiveView {
  /** Every entry up to here is in the view; replaying later ones over it is harmless. */
  readonly seq: number;
  /** In batches, so that a million tasks can be loaded without holding them twice. */
  readonly tasks: AsyncIterable<readonly LiveTask[]>;
  readonly workers: readonly WorkerRecord[];
  readonly queues: readonly QueueRecord[];
  readonly finished: readonly StateCount[];
}

export interface StateCount {
  readonly queue: string;
  readonly state: TaskState;
  readonly count: number;
}

/** How long finished tasks are kept; whichever bound is passed first. */
export interface Retention {
  /** Those that ended before this instant go. */
  readonly endedBefore: number;
  /** Of more than so many, the oldest go. */
  readonly keepMax: number;
}

export interface ExpiredTask {
  readonly id: TaskId;
  readonly queue: string;
  readonly state: FinalState;
}

export interface TaskQuery {
  readonly states?: readonly TaskState[];
  readonly queue?: string;
  readonly name?: string;
  readonly host?: string;
  /** Newest first unless told otherwise, in the order of creation. */
  readonly order: "newest" | "oldest";
  /** From the page before; null for the first page. An unknown one is a `bad-request`. */
  readonly cursor: string | null;
  /** 1 to `limits.pageMax`. A page ends early once its tasks come to `limits.pageTextMax`, but never before the first. */
  readonly limit: number;
}

export interface TaskPage {
  readonly tasks: readonly TaskDocument[];
  /** Give it back to get the next page; null at the end. */
  readonly cursor: string | null;
}

/** It is not known whether the write went in, or the store cannot be reached or has no room. Try the same again. */
export class StoreUnavailable extends Error {
  /** `full`, `busy`, `io`, `timeout`, `network`. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreUnavailable";
    this.reason = reason;
  }
}

/** This store must not be used: corrupt, written by a newer version, or in a place that breaks its promises. */
export class StoreRefused extends Error {
  /** What the operator can do about it. */
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreRefused";
    this.hint = hint;
  }
}

export type { Entry, Lease, OutgoingEntry };
