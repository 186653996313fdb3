/** What masters and workers say to each other, over plain HTTP. The worker always dials. */
import type { OnChildFailure, Wait } from "./family.ts";
import type { BootId, Incarnation, SessionId, TaskId } from "./ids.ts";
import type { Json } from "./json.ts";
import type { OpenRun } from "./kinds/remote.ts";
import type { Submission } from "./submission.ts";
import type { AttemptError, ExitRecord, Progress, TaskPayload } from "./task.ts";

/**
 * The versions of the worker protocol that this build speaks.
 *
 * 1  results are answered in `verdicts`, by their position in the report
 * 2  results carry an `id` and are acknowledged by it in `acks`; attempts send items while they run, and are sent messages;
 *    workers say when their machine cannot run tasks
 */
export const protocolVersions = { min: 1, max: 2 } as const;

/** From this version on, attempts exchange items and messages with the leader while they run. */
export const attemptItemsSince = 2;

/** Which version both sides speak: the highest that both know; null if there is none. */
export function negotiateProtocol({ protocol, protocolMin, protocolMax }: ProtocolOffer): number | null {
  const version = Math.min(protocolMax ?? protocol, protocolVersions.max);
  return version < Math.max(protocolMin ?? protocol, protocolVersions.min) ? null : version;
}

export interface ProtocolOffer {
  /** The one version that a worker of protocol 1 speaks; a later worker names its lowest version here. */
  readonly protocol: number;
  /** Absent from workers of protocol 1. */
  readonly protocolMin?: number;
  readonly protocolMax?: number;
}

export interface AttemptRef {
  readonly task: TaskId;
  readonly attempt: number;
}

/** An attempt as it was given out: the instant tells it from one of an earlier task that had the same id and is forgotten. */
export interface IssuedAttempt extends AttemptRef {
  /** By the leader's clock, in ms since 1970. */
  readonly assignedAt: number;
}

/** An attempt that prints. Older workers do not say when it was assigned. */
export interface LoggedAttempt extends AttemptRef {
  readonly assignedAt?: number;
}

export interface RunningAttempt extends IssuedAttempt {
  /** By the worker's clock, in ms since 1970. */
  readonly startedAt: number;
}

/** An attempt whose result waits in the outbox. */
export interface WaitingResult extends IssuedAttempt {
  /** When its process ended, by the worker's clock; left out by older workers, and where it never had one. */
  readonly endedAt?: number;
}

/** `POST /v1/workers/:id/sessions`: who the worker is and what it has. */
export interface AttachRequest extends ProtocolOffer {
  readonly boot: BootId;
  readonly capacity: number;
  readonly queues: readonly string[];
  /** Kinds of tasks that this boot can run; older workers leave it out and run `sleep` and `exec`. */
  readonly kinds?: readonly string[];
  /** Labels that it carries; left out if none. */
  readonly labels?: readonly string[];
  /** Every attempt that holds a slot of this boot, the dying ones included. */
  readonly running: readonly RunningAttempt[];
  /** Attempts of this boot or an earlier one whose results wait in the outbox on disk. */
  readonly outbox: readonly WaitingResult[];
  readonly isDraining: boolean;
  /** The highest epoch this worker has seen, and of which store; a leader with a lower one is refused. */
  readonly epochMax: number;
  readonly incarnation: Incarnation | null;
  /** Where a refused connection proves that this boot is dead; null where that proves nothing (a proxy between). */
  readonly probePort: number | null;
  /** Why this worker takes no tasks at the moment; absent if it does. Since protocol 2. */
  readonly trouble?: string;
  /** True to a standby: the leader cannot be reached from here, so pass this and all of its session on to it. */
  readonly relay?: boolean;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
}

export interface AttachAnswer {
  readonly session: SessionId;
  /** The version that this session speaks; masters of protocol 1 do not name it. */
  readonly protocol?: number;
  readonly epoch: number;
  readonly incarnation: Incarnation;
  /** Attempts from `running` that are no longer wanted: kill them, and report nothing but `aborted`. */
  readonly abort: readonly UnwantedAttempt[];
  /** Results from `outbox` that are settled already, one verdict each. */
  readonly verdicts: readonly Verdict[];
  readonly heartbeatMs: number;
}

/** An attempt that its worker must end. Older masters do not say when it was assigned. */
export interface AbortedAttempt extends AttemptRef {
  readonly assignedAt?: number;
}

export interface UnwantedAttempt extends AbortedAttempt {
  /** `cancelled`: its task is over; left out: the task may run elsewhere. */
  readonly reason?: "cancelled";
}

/** One task for one slot. `(task, attempt)` is started at most once, ever. */
export interface Assignment extends IssuedAttempt, TaskPayload {
  /** The worker ends the attempt itself after this long; null for no bound. */
  readonly timeoutMs: number | null;
  /** Steps that the task remembers; the worker reads them before it starts the attempt. Absent if there are none. */
  readonly steps?: number;
  /** True if the task has sets of children or sleeps that are not over; they come with the steps. */
  readonly isFamilyOpen?: boolean;
  /** The task that this one is a child of. */
  readonly parent?: TaskId;
}

export type AbortReason = "cancelled" | "timeout" | "killed";

/**
 * Why a worker ends an attempt. `cancelled` and `timeout`: nobody wants what it does any more. `killed` and `drain`: this worker
 * must let go of it, and its task goes on elsewhere.
 */
export type AbortCause = AbortReason | "drain";

/**
 * Something that the leader tells one running attempt. The leader sends it after the attempt was reported as started, and sends
 * it again, with the same id, when the worker attaches anew and still runs the attempt. The worker hands each id on once.
 */
export interface AttemptMessage extends IssuedAttempt {
  readonly id: string;
  readonly body: Json;
}

/** What comes down the stream, `GET /v1/workers/:id/stream?session=…`, one SSE `data:` line each. */
export type StreamMessage =
  | { readonly kind: "assign"; readonly epoch: number; readonly assignments: readonly Assignment[] }
  | {
      readonly kind: "abort";
      readonly epoch: number;
      readonly reason: AbortReason;
      readonly attempts: readonly AbortedAttempt[];
    }
  | { readonly kind: "drain"; readonly epoch: number }
  /** Since protocol 2. */
  | { readonly kind: "tell"; readonly epoch: number; readonly messages: readonly AttemptMessage[] }
  /** Sent every `heartbeatMs`: silence on the stream means that the master is gone. */
  | { readonly kind: "beat"; readonly epoch: number };

/** The error code of an `aborted` attempt that this machine could not run: the task goes elsewhere, and nothing is counted. */
export const machineFault = "machine";
/** Code of the error of an aborted attempt that has seen the job end which its task had at a service. */
export const runStopped = "run-stopped";
/** What a worker reports of an attempt whose kind it cannot run. */
export const unsupportedKind = "unsupported";

/** `suspended`: nothing is left to do until one of `waits` is over; the task then runs again, in a new attempt. Since protocol 2. */
export type Outcome = "success" | "failed" | "aborted" | "suspended";

/** An item with an id is acknowledged by it, and is sent again with the same id until it has been. Ids are unique in one boot. */
export interface Acknowledged {
  readonly id?: number;
}

export interface ResultItem extends IssuedAttempt, Acknowledged {
  readonly kind: "result";
  /** The boot that ran it, which may be an earlier one of the same worker. */
  readonly boot: BootId;
  readonly outcome: Outcome;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly output?: Json;
  readonly error?: AttemptError;
  readonly exit?: ExitRecord;
  /** Of several commands: how each ended that was started, in order. */
  readonly exits?: readonly ExitRecord[];
  readonly logBytes?: number;
  /** Of a suspended attempt: at least one. */
  readonly waits?: readonly Wait[];
  /** Of a failed attempt: the delay before the next one, instead of the back-off. */
  readonly retryAfterMs?: number;
}

/** How an attempt ended, before it is known who ran it. */
export type AttemptEnd = Omit<ResultItem, "kind" | "id" | keyof IssuedAttempt | "boot">;

/** What an attempt may tell the leader while it runs. */
export type AttemptContent =
  | ({ readonly kind: "progress" } & Progress)
  /** The result of a step: once it is acknowledged, every later attempt of the task has it. */
  | {
      readonly kind: "step";
      readonly key: string;
      readonly value: Json;
      /** When its function was first called, by the worker's clock, in ms since 1970. For traces: masters are not told. */
      readonly startedAt?: number;
      /**
       * The job of a service that the task has from here on; null: it has ended; `left`: it goes on although it was to be stopped.
       * Should the task end while its job may go on, a worker is told to stop it.
       */
      readonly run?: OpenRun | "left" | null;
    }
  | ChildrenContent
  | ArtifactsContent
  | SubmitContent;

/** An independent task, made once however often the handler runs; it leaves a step with the value `{ id }`. */
export interface SubmitContent extends Traced {
  readonly kind: "submit";
  readonly key: string;
  readonly submission: Submission;
}

/** What makes tasks may say which trace they belong to. */
interface Traced {
  readonly traceparent?: string;
}

/** Files that the attempt has uploaded as blobs; they are shown once it is committed. The first one has the index `first`. */
export interface ArtifactsContent {
  readonly kind: "artifacts";
  readonly first: number;
  /** 1 to `limits.artifactsPerItemMax`. */
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly size: number }[];
}

/** Children `first`, `first + 1` … of the set `key`. */
export interface ChildrenContent extends Traced {
  readonly kind: "children";
  readonly key: string;
  readonly first: number;
  readonly submissions: readonly Submission[];
  /** The fingerprint of the items before `first`; see `foldItem`. */
  readonly before: string;
  /** No more children follow. */
  readonly isLast: boolean;
  readonly onFailure: OnChildFailure;
  readonly failuresMax?: number;
  readonly concurrencyMax?: number;
  readonly backups?: true;
}

/** The same on its way: whose it is, and the id that acknowledges it, if the attempt waits for that. Since protocol 2. */
export type AttemptItem = AttemptContent & IssuedAttempt & Acknowledged;

export type ReportItem =
  | ({ readonly kind: "started" } & RunningAttempt)
  | AttemptItem
  | ResultItem
  /** Assign nothing more: this boot finishes what it runs and leaves. What it was given and has not started ends as `aborted`. */
  | { readonly kind: "draining" }
  /** This machine cannot run tasks at the moment, for this reason: assign nothing until it is null. Since protocol 2. */
  | { readonly kind: "trouble"; readonly text: string | null }
  /** The last item of a boot: whatever is still assigned to it will not be finished. */
  | { readonly kind: "bye" };

/** `POST /v1/workers/:id/reports`; with no items it is a bare heartbeat, answered at once. */
export interface ReportRequest {
  readonly boot: BootId;
  readonly session: SessionId;
  readonly epoch: number;
  readonly items: readonly ReportItem[];
}

/** `committed`: this report settled the attempt. `stale`: it had been settled before. Both are final: forget the result. */
export interface Verdict extends AttemptRef {
  readonly verdict: "committed" | "stale";
}

/**
 * `committed`: the item has taken effect, durably if its kind is. `stale`: its attempt is over, so it changed nothing. `refused`:
 * the leader does not take it, and changed nothing. All are final.
 */
export type Acknowledgement = { readonly id: number } & ItemAnswer;

/** What became of an item, as its attempt is told: the leader's verdict, or why the item was never sent. */
export type ItemAnswer =
  | CommittedItem
  | { readonly verdict: "stale" }
  | ({ readonly verdict: "refused" } & ItemRefusal);

export interface CommittedItem {
  readonly verdict: "committed";
  /** Of the first answer to a `submit`: the task that its step names. A repeat leaves it out; read the steps then. */
  readonly made?: TaskId;
}

export interface ItemRefusal {
  /** `conflict`: the key, or the index of a child, has other content already. */
  readonly code: "invalid" | "too-large" | "too-many" | "unsupported" | "conflict";
  readonly message: string;
}

export interface ReportAnswer {
  readonly epoch: number;
  /** One for each `result` without an id, in order. */
  readonly verdicts: readonly Verdict[];
  /** One for each item with an id, in any order; masters of protocol 1 send none. */
  readonly acks?: readonly Acknowledgement[];
}

/** `POST /v1/workers/:id/logs`: pieces of output, each stored once however often it is sent. */
export interface LogChunk extends LoggedAttempt {
  /** Position of the first byte in the attempt's log. */
  readonly offset: number;
  /** By the worker's clock. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** The attempt's log was cut here: it had reached `limits.logAttemptBytesMax`. */
  readonly isTruncated: boolean;
}
