/** The storage port. Whatever can durably refuse a second entry with the same seq can be a store. */
import type { EndedAttempt } from "../model/attemptRecord.ts";
import type { CollectionName, CollectionVersions, RecordValue, StoredRecord } from "../model/collections/table.ts";
import type { Entry, OutgoingEntry } from "../model/entry.ts";
import type { Incarnation, Nonce, TaskId } from "../model/ids.ts";
import type { Lease } from "../model/lease.ts";
import type { MemberRecord } from "../model/member.ts";
import type { LogChunk } from "../model/protocol.ts";
import type { Submission } from "../model/submission.ts";
import type { FinalState, TaskDocument, TaskHead, TaskPayload, TaskState, TaskStatus } from "../model/task.ts";

/**
 * The duties of every driver; the contract suite in `proof/contracts/` tests them.
 *
 * - `append` refuses a second entry with the same `seq`, whoever asks, also across processes.
 * - An entry is durable (it survives a power failure) before `append` answers `committed`.
 * - The view (tasks and records) shows every committed entry to every later read of this driver.
 * - Records are kept by collection and id, as JSON that the store does not look into. One whose id is `<task>/<key>` belongs to
 *   that task: from the entry on that forgets the task no read shows it, also if a task with the same id is created later. The
 *   store may remove its rows afterwards, in bounded steps.
 * - After an error the same bytes may be appended again. If the first append had succeeded, the answer is `taken`, and the entry
 *   shows the caller's own nonce.
 */
export interface Store {
  /**
   * Opens and checks. Creates what is not there yet; what an older version left is read as it is, until a leader migrates it.
   * @throws StoreRefused for a corrupt, newer or misplaced store
   */
  open(): Promise<StoreIdentity>;
  /**
   * Brings the layout of the store up to this version. Each new leader calls it once its marker is committed, and appends nothing
   * else before; `taken` if another entry has followed the marker meanwhile, so that this master leads no more. May be called
   * again after an error, and goes on where it stopped.
   */
  migrate(marker: Pick<Entry, "seq" | "nonce">): Promise<"migrated" | "taken">;
  /**
   * Gives a store that was restored from a backup a new incarnation: what workers have seen of the store before does not count
   * any more. No master may run on the store; masters see it when they open the store.
   */
  setIncarnation(incarnation: Incarnation): Promise<void>;
  close(): Promise<void>;

  /**
   * Puts one entry into its slot and updates the view. `taken` means that the slot has an entry.
   * @throws StoreUnavailable if it is not known whether the append succeeded
   */
  append(entry: OutgoingEntry): Promise<"committed" | "taken">;
  /** The last entry; null for an empty journal. */
  readTail(): Promise<Entry | null>;
  /** Entries with `seq >= fromSeq`, ascending, at most `max`, fewer where they are large but one at least. Starts later than `fromSeq` if that has been compacted away. */
  readEntries(fromSeq: number, max: number): Promise<Entry[]>;
  /** Removes entries with `seq < belowSeq`, at most `max` a call; the last entry always stays. Returns how many went. */
  compact(belowSeq: number, max: number): Promise<number>;

  /** All that a leader needs to start: unfinished tasks, the records of these collections, and counts of finished tasks. */
  loadView(collections: readonly CollectionName[]): Promise<LiveView>;

  readRecord<Name extends CollectionName>(collection: Name, id: string): Promise<RecordValue<Name> | null>;
  /** A page of records, ascending by the UTF-8 bytes of their ids. */
  listRecords<Name extends CollectionName>(collection: Name, query: RecordQuery): Promise<RecordPage<Name>>;

  readTask(id: TaskId): Promise<TaskDocument | null>;
  /** Payloads by id, for those of `ids` that exist. */
  readPayloads(ids: readonly TaskId[]): Promise<Map<TaskId, TaskPayload>>;
  /** For those of `ids` that exist: their fingerprint (null if the master made the id), and the seq at which this was true. */
  findTasks(ids: readonly TaskId[]): Promise<{ seq: number; found: Map<TaskId, string | null> }>;
  /** Statuses with outputs by id, for those of `ids` that exist; at most `limits.statusesPerReadMax`. */
  readStatuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>>;
  listTasks(query: TaskQuery): Promise<TaskPage>;
  /** Over all tasks: the records of the collection `attempts`, and the last attempts that statuses tell of (`lastAttemptOf`). */
  listAttempts(query: AttemptQuery): Promise<AttemptPage>;

  /**
   * Stores pieces of logs. One that is there already (same task, attempt and offset) is left as it is; one that is not the
   * output of the task that has the id now (`isOutputOf`) is left out.
   */
  appendLogs(chunks: readonly LogChunk[]): Promise<void>;
  /** Pieces with `offset >= fromOffset`, ascending, until `maxBytes` are reached (always at least one if there is one). */
  readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]>;

  /** Finished tasks to be forgotten, at most `max`, those that ended first first. Costs nothing where none is due. */
  findExpired(retention: Retention, max: number): Promise<ExpiredTask[]>;

  /**
   * Only where forgotten tasks leave something behind that no read shows: removes a bounded part of it. Called by a leader alone.
   * True if more is left that could go now.
   */
  sweep?(): Promise<boolean>;

  /**
   * Only where others can put tasks straight into the store: those that wait to be adopted, at most `max`. Called by a leader alone.
   * Shows nothing that has been adopted by an entry that is committed. What is no task is marked in the store with a readable error.
   */
  findForeign?(max: number): Promise<ForeignTask[]>;
  /** The documents of others that wait to be adopted or are marked with an error, as they are, for people. */
  readForeign?(): Promise<readonly object[]>;
  /** Sets aside what stands in the place of these tasks, with the reason, and puts the tasks themselves there again. */
  rejectForeign?(ids: readonly TaskId[]): Promise<void>;

  /** The records that masters keep of themselves. */
  writeMember(member: MemberRecord): Promise<void>;
  readMembers(): Promise<MemberRecord[]>;
  removeMember(nonce: Nonce): Promise<void>;

  /** The lease is only a hint for liveness; safety does not depend on it. */
  readLease(): Promise<Lease | null>;
  /** `superseded` if the lease is that of a higher epoch, and stays as it is. One request where the store is asked over a network. */
  writeLease(lease: Lease): Promise<"written" | "superseded">;
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
  /** To be read before `tasks`: the view is closed after the last task. */
  readonly records: AsyncIterable<readonly StoredRecord[]>;
  /** What the last marker lists; null before the first one, and after one of format 1. */
  readonly collections: CollectionVersions | null;
  readonly finished: readonly StateCount[];
}

export interface StateCount {
  readonly queue: string;
  readonly state: TaskState;
  readonly count: number;
}

/** How long finished tasks are kept; the bound that is reached first counts. */
export interface Retention {
  /** Those that ended before this instant go. */
  readonly endedBefore: number;
  /** Of more than so many, those that ended first go. */
  readonly keepMax: number;
  /** Roots of families that stay in any case. */
  readonly pinned?: readonly TaskId[];
}

/** A task that somebody put straight into the store. */
export interface ForeignTask {
  readonly id: TaskId;
  readonly submission: Submission;
}

export interface ExpiredTask {
  readonly id: TaskId;
  readonly queue: string;
  readonly state: FinalState;
}

export interface TaskQuery {
  readonly states?: readonly TaskState[];
  readonly queue?: string;
  /** Only tasks of queues that match one of these patterns, as `coversQueue` says. */
  readonly queues?: readonly string[];
  readonly name?: string;
  readonly host?: string;
  /** Children of this task, of all its generations. */
  readonly parent?: TaskId;
  /** Only tasks without a parent. Not together with `parent`. */
  readonly isRoot?: boolean;
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

/** Which attempts: those that ran at some time between two instants and have ended. */
export interface AttemptQuery {
  /** Those that ended at or after this instant … */
  readonly from: number;
  /** … and were assigned before this one. */
  readonly to: number;
  readonly worker?: string;
  /** From the page before; null for the first page. An unknown one is a `bad-request`. */
  readonly cursor: string | null;
  /** 1 to `limits.pageMax`. */
  readonly limit: number;
}

export interface AttemptPage {
  /** By when they ended, the earliest first. */
  readonly attempts: readonly EndedAttempt[];
  /** Give it back to get the next page; null at the end. */
  readonly cursor: string | null;
}

export interface RecordQuery {
  /** Of a collection that belongs to tasks it begins with `<task>/`. */
  readonly idPrefix?: string;
  /** The id of the last record of the page before. */
  readonly after?: string;
  /** 1 to `limits.pageMax`. A page ends early once its values come to `limits.pageTextMax`, but never before the first. */
  readonly limit: number;
}

export interface RecordPage<Name extends CollectionName> {
  readonly records: readonly StoredRecord<Name>[];
  /** True if more records may follow. */
  readonly isMore: boolean;
}

/** The store cannot be reached or is full, or it is not known whether the write succeeded. Try the same again. */
export class StoreUnavailable extends Error {
  /** `full`, `busy`, `io`, `timeout`, `network`. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreUnavailable";
    this.reason = reason;
  }
}

/** This store must not be used: it is corrupt, written by a newer version, or in an unsuitable place. */
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
