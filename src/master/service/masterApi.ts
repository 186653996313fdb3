/** What a master offers to the HTTP API, and to the fake network of the simulator. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { ChildrenPage, ChildrenRequest, PendingSignal, StepsPage, StepsRequest } from "../../model/family.ts";
import type { GraphView } from "../../model/graphs/graphView.ts";
import type { BootId, Incarnation, Nonce, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { LeaderBeat } from "../../model/lease.ts";
import type { MemberView } from "../../model/member.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { AttachAnswer, AttachRequest, LogChunk, ReportAnswer, ReportRequest } from "../../model/protocol.ts";
import type { Submission } from "../../model/submission.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { WaitingReason } from "../../model/waiting.ts";
import type { DeliveryCounts } from "../../model/webhooks/webhook.ts";
import type { QueueSettings, QueueView, WorkerView } from "../../model/worker.ts";
import type { TaskPage, TaskQuery } from "../../ports/store.ts";
import type { StreamSink } from "../../ports/transport.ts";
import type { ChangeBatch } from "../journal/journal.ts";
import type { CommitTimes, MasterObserver } from "../journal/loopStats.ts";
import type { Subscription } from "../streams/changes.ts";
import type { ProgressChange } from "../streams/progressBoard.ts";
import type { BlobApi } from "./blobApi.ts";
import type { BulkApi } from "./bulkApi.ts";
import type { PrincipalApi } from "./principalApi.ts";
import type { RetryOptions } from "./retryService.ts";
import type { ScheduleApi } from "./scheduleApi.ts";
import type { TaskViewApi } from "./taskViewApi.ts";
import type { TemplateApi } from "./templateApi.ts";
import type { WebhookApi } from "./webhookApi.ts";

export type { ChangeBatch, Subscription };

/**
 * `by` says who stands behind a call: what lies outside of his rights is unknown to him, and what he changes is written into the
 * audit record. Without it, a call comes from Outlast itself.
 *
 * Every method rejects with `OutlastError` where the caller is told why: `not-leader` on a standby (with the leader's address
 * in `details.leader` if it is known), `unavailable` while the store cannot commit.
 */
export interface MasterApi {
  status(): MasterStatus;
  /** Statistics for `/metrics`, from memory. */
  stats(by?: Actor): MasterStats;
  /** Tells this observer of commits and steps of tasks from now on. */
  observe(observer: MasterObserver): void;

  /**
   * Creates all or none. With a key, a repeated call finds the same tasks. Resolves when they are committed.
   * @param traceparent the trace that new tasks belong to
   */
  submit(
    submissions: readonly Submission[],
    key: string | null,
    by?: Actor,
    traceparent?: string,
  ): Promise<readonly SubmittedTask[]>;
  cancel(id: TaskId, by?: Actor): Promise<void>;
  /**
   * Opens a task again that has failed or was cancelled, with what has failed below it and what has ended above it.
   * @returns how many tasks that are; 0 if it had not ended, or had been retried before
   */
  retry(id: TaskId, options: RetryOptions, by?: Actor): Promise<number>;
  readonly templates: TemplateApi;
  readonly schedules: ScheduleApi;
  readonly blobs: BlobApi;
  readonly bulk: BulkApi;
  readonly principals: PrincipalApi;
  readonly views: TaskViewApi;
  readonly webhooks: WebhookApi;
  setQueue(name: string, settings: QueueSettings, by?: Actor): Promise<void>;
  drainWorker(id: WorkerId, by?: Actor): Promise<void>;
  workers(): Promise<readonly WorkerView[]>;
  /** All masters that share the store, as far as this one has seen. */
  members(): readonly MemberView[];
  queues(): Promise<readonly QueueView[]>;

  /**
   * Commits an entry, which proves that this master still leads, and resolves with its seq. A read that includes that seq
   * includes everything that was committed before the call.
   */
  barrier(): Promise<number>;

  /** The queue of a task; null if there is no such task. */
  queueOf(id: TaskId): string | null | Promise<string | null>;
  readTask(id: TaskId): Promise<TaskDocument | null>;
  listTasks(query: TaskQuery): Promise<TaskPage>;
  readLogs(task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<readonly LogChunk[]>;
  /** Calls `listener` when pieces of this attempt's log are stored. Returns how to stop. */
  onLogs(task: TaskId, attempt: number, listener: () => void): () => void;

  /**
   * Every committed change after `afterSeq`, in order, once; from now on if it is null. While old entries are replayed, the next
   * batch waits for what the listener returns, so that a long journal is never buffered. A listener that throws ends the replay.
   * `onGap` is called when entries are skipped: a master that was deposed, or is far behind, reads its memory again.
   * @throws OutlastError `not-found` if the journal no longer reaches back that far
   */
  changes(
    afterSeq: number | null,
    listener: (batch: ChangeBatch) => unknown,
    onGap?: () => void,
  ): Promise<Subscription>;

  /** Calls `listener` with what a leader tells the masters that watch its process. Returns how to stop. */
  onLeaderBeat(listener: (beat: LeaderBeat) => void): () => void;

  /** Calls `listener` when a running attempt says how far it is; only on the leader. Returns how to stop. */
  onProgress(listener: (change: ProgressChange) => void): () => void;

  attach(worker: WorkerId, request: AttachRequest, host: string, by?: Actor): Promise<AttachAnswer>;
  /** Gives the session's stream to the leader. Call the returned function when the connection has closed. */
  openStream(worker: WorkerId, session: SessionId, sink: StreamSink, by?: Actor): () => void;
  report(worker: WorkerId, request: ReportRequest, by?: Actor): Promise<ReportAnswer>;
  storeLogs(worker: WorkerId, session: SessionId, chunks: readonly LogChunk[], by?: Actor): Promise<void>;
  /** Delivered once, to the first wait for its name, which may come later than the signal. */
  signal(task: TaskId, signal: PendingSignal, by?: Actor): Promise<void>;
  /** What the task of a running attempt remembers. Rejects with `conflict` if the attempt is over. */
  readSteps(worker: WorkerId, request: StepsRequest, by?: Actor): Promise<StepsPage>;
  /** How the children of a set have ended that is over. */
  /** One page of a graph, or what surrounds any other task; null if there is no such task. Only on the leader. */
  readGraph(task: TaskId, cursor: number, limit: number): Promise<GraphView | null>;
  readChildren(worker: WorkerId, request: ChildrenRequest, by?: Actor): Promise<ChildrenPage>;
  /** A supervisor saw this boot's process exit. */
  reportExit(worker: WorkerId, boot: BootId, by?: Actor): Promise<void>;
}

/**
 * starting  reads its journal
 * standby   follows the leader
 * leader    decides and commits
 * stopping  leaves
 */
export type MasterRole = "starting" | "standby" | "leader" | "stopping";

export interface MasterStatus {
  readonly name: string;
  readonly nonce: Nonce;
  /** Base URL others reach this master at. */
  readonly address: string;
  readonly role: MasterRole;
  readonly epoch: number;
  /** The last entry this master knows to be committed. */
  readonly seq: number;
  /** Base URL of the leader as far as this master knows. */
  readonly leader: string | null;
  readonly incarnation: Incarnation;
  readonly store: string;
  readonly durability: string;
  /** Why nothing can be committed at the moment; null if all is well. */
  readonly trouble: string | null;
  readonly startedAt: number;
  readonly roleSince: number;
  /** By its clock of passed time, which does not follow steps of the wall clock at once. */
  readonly now: number;
}

export interface MasterStats {
  readonly commits: number;
  readonly inputs: number;
  readonly writes: number;
  readonly inboxLength: number;
  /** Tasks by state, finished ones included while the store keeps them. */
  readonly tasks: { readonly [state: string]: number };
  /** Tasks that wait, by reason, on the leader; reasons for which none waits are left out. */
  readonly waiting: { readonly [Reason in WaitingReason]?: number };
  readonly workersConnected: number;
  /** Slots of connected workers, and how many of them run an attempt. */
  readonly slots: { readonly total: number; readonly used: number };
  /** How long the task has waited that is first in its line and has waited longest; 0 if none could start. */
  readonly oldestWaitMs: number;
  readonly commitMs: CommitTimes;
  readonly webhooks: readonly WebhookFigures[];
  /** How often this master, as a standby, found that its memory differed from the leader's; anything but 0 is a bug. */
  readonly drifts: number;
  /** Changes of the leader that this master has seen since its start. */
  readonly elections: number;
  /** How often this master's own role has changed since its start. */
  readonly roleChanges: number;
}

/** What has become of the deliveries of one webhook, as the journal has it. */
export interface WebhookFigures extends DeliveryCounts {
  readonly name: string;
}
