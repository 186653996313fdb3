/** What masters and workers say to each other, over plain HTTP. The worker always dials. */
import type { BootId, Incarnation, SessionId, TaskId } from "./ids.ts";
import type { Json } from "./json.ts";
import type { AttemptError, ExitRecord, TaskPayload } from "./task.ts";

export const protocolVersion = 1;

export interface AttemptRef {
  readonly task: TaskId;
  readonly attempt: number;
}

/** An attempt as it was given out: the instant tells it from one of an earlier task that had the same id and is forgotten. */
export interface IssuedAttempt extends AttemptRef {
  /** By the leader's clock, in ms since 1970. */
  readonly assignedAt: number;
}

export interface RunningAttempt extends IssuedAttempt {
  /** By the worker's clock, in ms since 1970. */
  readonly startedAt: number;
}

/** `POST /v1/workers/:id/sessions`: here I am, and this is what I have. */
export interface AttachRequest {
  readonly protocol: number;
  readonly boot: BootId;
  readonly capacity: number;
  readonly queues: readonly string[];
  /** Every attempt that holds a slot of this boot, the dying ones included. */
  readonly running: readonly RunningAttempt[];
  /** Attempts of this boot or an earlier one whose results wait in the outbox on disk. */
  readonly outbox: readonly IssuedAttempt[];
  readonly isDraining: boolean;
  /** The highest epoch this worker has seen, and of which store; a leader with a lower one is refused. */
  readonly epochMax: number;
  readonly incarnation: Incarnation | null;
  /** Where a refused connection proves that this boot is dead; null where that proves nothing (a proxy between). */
  readonly probePort: number | null;
  /** True to a standby: the leader cannot be reached from here, so pass this and all of its session on to it. */
  readonly relay?: boolean;
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
}

export interface AttachAnswer {
  readonly session: SessionId;
  readonly epoch: number;
  readonly incarnation: Incarnation;
  /** Attempts from `running` that are no longer wanted: kill them, and report nothing but `aborted`. */
  readonly abort: readonly AttemptRef[];
  /** Results from `outbox` that are settled already, one verdict each. */
  readonly verdicts: readonly Verdict[];
  readonly heartbeatMs: number;
}

/** One task for one slot. `(task, attempt)` is started at most once, ever. */
export interface Assignment extends IssuedAttempt, TaskPayload {
  /** The worker ends the attempt itself after this long; null for no bound. */
  readonly timeoutMs: number | null;
}

export type AbortReason = "cancelled" | "timeout" | "killed";

/** What comes down the stream, `GET /v1/workers/:id/stream?session=…`, one SSE `data:` line each. */
export type StreamMessage =
  | { readonly kind: "assign"; readonly epoch: number; readonly assignments: readonly Assignment[] }
  | {
      readonly kind: "abort";
      readonly epoch: number;
      readonly reason: AbortReason;
      readonly attempts: readonly AttemptRef[];
    }
  | { readonly kind: "drain"; readonly epoch: number }
  /** Sent every `heartbeatMs`: silence on the stream means that the master is gone. */
  | { readonly kind: "beat"; readonly epoch: number };

export type Outcome = "success" | "failed" | "aborted";

export interface ResultItem extends IssuedAttempt {
  readonly kind: "result";
  /** The boot that ran it, which may be an earlier one of the same worker. */
  readonly boot: BootId;
  readonly outcome: Outcome;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly output?: Json;
  readonly error?: AttemptError;
  readonly exit?: ExitRecord;
  readonly logBytes?: number;
}

/** How an attempt ended, before it is known who ran it. */
export type AttemptEnd = Omit<ResultItem, "kind" | keyof IssuedAttempt | "boot">;

export type ReportItem =
  | ({ readonly kind: "started" } & RunningAttempt)
  | ResultItem
  /** Assign nothing more: this boot finishes what it runs and leaves. What it was given and has not started ends as `aborted`. */
  | { readonly kind: "draining" }
  /** The last word of a boot: whatever is still assigned to it will not be finished. */
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

export interface ReportAnswer {
  readonly epoch: number;
  /** One for each `result` item, in order. */
  readonly verdicts: readonly Verdict[];
}

/** `POST /v1/workers/:id/logs`: pieces of output, each stored once however often it is sent. */
export interface LogChunk extends AttemptRef {
  /** Position of the first byte in the attempt's log. */
  readonly offset: number;
  /** By the worker's clock. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** The attempt's log was cut here: it had reached `limits.logAttemptBytesMax`. */
  readonly isTruncated: boolean;
}
