/** What the Scheduler is told. Each input is one thing that happened outside; time comes with the batch. */
import type { AttemptRecord } from "../../model/attemptRecord.ts";
import type { BlobRecord } from "../../model/blob.ts";
import type { ChildSetRecord, PendingSignal } from "../../model/family.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import type { AuditRecord } from "../../model/principals/audit.ts";
import type { Actor, Rights, Role } from "../../model/principals/principal.ts";
import type {
  PasswordHash,
  SessionOwner,
  SessionRecord,
  TokenRecord,
  UserRecord,
} from "../../model/principals/records.ts";
import type { AttachRequest, AttemptRef, ReportItem } from "../../model/protocol.ts";
import type { ScheduleRecord } from "../../model/schedules/schedule.ts";
import type { FinalState, TaskHead, TaskSpec, TaskStatus } from "../../model/task.ts";
import type { TemplateContent } from "../../model/templates/template.ts";
import type { DeliveryOutcome } from "../../model/webhooks/delivery.ts";
import type { WebhookContent } from "../../model/webhooks/webhook.ts";
import type { ProbeAddress, QueueSettings } from "../../model/worker.ts";

/** Ties a reply to its question; made by the shell, unique while the question is open. */
export type RequestId = number;

/** An input may say who stands behind it: what lies outside of his rights is unknown to him, and what he changes is written down. */
export type SchedulerInput = PlainInput & { readonly by?: Actor };

type PlainInput =
  /** Create tasks, all or none. `lookup` is there when a client chose an id or a key: what the store knew of those ids. */
  | {
      readonly kind: "submit";
      readonly request: RequestId;
      readonly specs: readonly TaskSpec[];
      readonly lookup: Lookup | null;
    }
  | { readonly kind: "cancel"; readonly request: RequestId; readonly id: TaskId }
  /**
   * Opens a finished task again. With `attempt`, only if that is still its last one. `found` is what the store showed of it, of
   * what is above it, and of what has failed below it, parents before their children.
   * `leavesSuccess`: refused where a task above it has succeeded. `isDryRun`: answers the same, and changes nothing.
   */
  | {
      readonly kind: "retry";
      readonly request: RequestId;
      readonly id: TaskId;
      readonly attempt: number | null;
      readonly isFromScratch: boolean;
      readonly leavesSuccess?: boolean;
      readonly isDryRun?: boolean;
      readonly found: FinishedTree;
    }
  /** For an unfinished task. Sent again with the same id, a signal is delivered once. */
  | {
      readonly kind: "signal";
      readonly request: RequestId;
      readonly task: TaskId;
      readonly signal: PendingSignal;
    }
  /** A worker asks what the task of a running attempt has under way besides its remembered steps. */
  | {
      readonly kind: "inspect-family";
      readonly request: RequestId;
      readonly worker: WorkerId;
      readonly session: SessionId;
      readonly attempt: AttemptRef;
    }
  /** The input of a graph, with outputs in their places. */
  | { readonly kind: "graph-loaded"; readonly task: TaskId; readonly input: Json; readonly traceparent?: string }
  /** The input of a blocked task with the outputs in their places, or why there is none. */
  | ({ readonly kind: "input-resolved"; readonly task: TaskId } & (
      | { readonly input: Json }
      | { readonly problem: string }
    ))
  /** What a graph gives back if it has succeeded, and otherwise which of its nodes failed. */
  | { readonly kind: "graph-concluded"; readonly task: TaskId; readonly output: Json; readonly reason: string }
  | { readonly kind: "inspect-dependents"; readonly request: RequestId; readonly task: TaskId }
  /** The content was checked before. */
  | {
      readonly kind: "put-template";
      readonly request: RequestId;
      readonly name: string;
      /** The queue of its tasks; null if a variable gives it. */
      readonly queue: string | null;
      readonly content: TemplateContent;
      readonly fingerprint: string;
    }
  | { readonly kind: "remove-template"; readonly request: RequestId; readonly name: string }
  /** The content was checked, and its template expanded, before. */
  | {
      readonly kind: "put-schedule";
      readonly request: RequestId;
      readonly schedule: Pick<ScheduleRecord, "name" | "content" | "fingerprint" | "task" | "origin" | "rights">;
    }
  | {
      readonly kind: "pause-schedule";
      readonly request: RequestId;
      readonly name: string;
      readonly isPaused: boolean;
    }
  | { readonly kind: "remove-schedule"; readonly request: RequestId; readonly name: string }
  /** `from` and `to` are instants, both included. */
  | {
      readonly kind: "backfill-schedule";
      readonly request: RequestId;
      readonly name: string;
      readonly from: number;
      readonly to: number;
      readonly isDryRun: boolean;
    }
  /** An upload is stored as an object, whole. */
  | { readonly kind: "keep-blob"; readonly request: RequestId; readonly upload: Upload }
  | { readonly kind: "release-blob"; readonly request: RequestId; readonly sha256: string }
  | {
      readonly kind: "set-queue";
      readonly request: RequestId;
      readonly name: string;
      /** What is left out stays as it is. */
      readonly settings: QueueSettings;
    }
  /** What the shell has found out about blobs whose leases are over. */
  | { readonly kind: "collect-blobs"; readonly seen: readonly SeenBlob[] }
  | { readonly kind: "drain-worker"; readonly request: RequestId; readonly worker: WorkerId }
  | {
      readonly kind: "add-user";
      readonly request: RequestId;
      readonly user: Pick<UserRecord, "name" | "role" | "queues" | "password">;
    }
  /** What is left out stays. `queues: null` stands for all. */
  | {
      readonly kind: "change-user";
      readonly request: RequestId;
      readonly name: string;
      readonly change: {
        readonly role?: Role;
        readonly queues?: readonly string[] | null;
        readonly password?: PasswordHash;
      };
    }
  | { readonly kind: "remove-user"; readonly request: RequestId; readonly name: string }
  | {
      readonly kind: "add-token";
      readonly request: RequestId;
      readonly token: Pick<TokenRecord, "name" | "role" | "queues" | "hash" | "expiresAt">;
    }
  | { readonly kind: "remove-token"; readonly request: RequestId; readonly name: string }
  /** The password was right for the user as he was then, or the token was. */
  | {
      readonly kind: "open-session";
      readonly request: RequestId;
      readonly session: Pick<SessionRecord, "id" | "address"> & {
        readonly owner: SessionOwner;
        /** The session that the caller had before; it ends. */
        readonly replaces: string | null;
      };
    }
  | { readonly kind: "close-session"; readonly request: RequestId; readonly id: string }
  /** A session or token was used. */
  | { readonly kind: "note-use"; readonly credential: "session" | "token"; readonly id: string }
  | { readonly kind: "note-refusals"; readonly refusals: readonly AuditRecord[] }
  /** Audit records that have outlived their retention, found by the shell in the store. */
  | { readonly kind: "forget-audit"; readonly ids: readonly string[] }
  /** The content was checked before. */
  | {
      readonly kind: "put-webhook";
      readonly request: RequestId;
      readonly name: string;
      readonly content: WebhookContent;
      readonly fingerprint: string;
      /** Null: a new webhook gets the fresh one, and another keeps its own. */
      readonly secret: string | null;
      readonly freshSecret: string;
      readonly rights?: Rights;
    }
  | { readonly kind: "remove-webhook"; readonly request: RequestId; readonly name: string }
  | { readonly kind: "test-webhook"; readonly request: RequestId; readonly name: string }
  /** What has come of deliveries that were committed before. */
  | { readonly kind: "note-deliveries"; readonly outcomes: readonly DeliveryOutcome[] }
  | { readonly kind: "inspect-workers"; readonly request: RequestId }
  | { readonly kind: "inspect-queues"; readonly request: RequestId }
  | {
      readonly kind: "attach";
      readonly request: RequestId;
      readonly worker: WorkerId;
      readonly attach: AttachRequest;
      readonly host: string;
    }
  /** The stream of a session is open: from now on the worker can be reached. */
  | { readonly kind: "opened"; readonly worker: WorkerId; readonly session: SessionId }
  | { readonly kind: "closed"; readonly worker: WorkerId; readonly session: SessionId }
  | { readonly kind: "beat"; readonly worker: WorkerId; readonly session: SessionId }
  | {
      readonly kind: "report";
      readonly request: RequestId;
      readonly worker: WorkerId;
      readonly session: SessionId;
      readonly items: readonly ReportItem[];
    }
  /** What came of a `probe` effect. A refusal proves death only to the master that this boot has answered there before. */
  | ({
      readonly kind: "probed";
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly result: "refused" | "connected" | "unknown";
    } & ProbeAddress)
  /** The record of an attempt that was given up, completed by the end of its process. `seq`: as in `look-up-attempts`. */
  | {
      readonly kind: "process-ended";
      readonly task: TaskId;
      readonly seq: number;
      readonly record: AttemptRecord;
    }
  /** A supervisor saw this boot's process exit. */
  | { readonly kind: "report-exit"; readonly request: RequestId; readonly worker: WorkerId; readonly boot: BootId }
  /** Time passed in which nothing could be seen or decided (store away, stalled loop, suspended machine): no silence counts. */
  | { readonly kind: "clock-gap"; readonly forMs: number; readonly cause?: "store" | "clock" }
  /** The wall clock was set back, or has been met again since: by so much it is behind the time that comes with the batch. */
  | { readonly kind: "clock-lag"; readonly lagMs: number }
  /** This leader has hung up on all of its workers, since another one may lead by now; their ends come after this. */
  | { readonly kind: "let-go" }
  /** Finished tasks that have outlived their retention, found by the shell in the view. */
  /** `seq`: of the last entry that was committed when the store was asked. */
  | { readonly kind: "forget"; readonly tasks: readonly FinishedTask[]; readonly seq: number }
  /** Those that are unknown to the one who asks, or not his, are passed over. */
  | { readonly kind: "cancel-many"; readonly request: RequestId; readonly ids: readonly TaskId[] }
  /** Finished tasks that somebody wants gone, as the store had them when it was asked at `seq`, or later. */
  | {
      readonly kind: "delete-many";
      readonly request: RequestId;
      readonly tasks: readonly FinishedTask[];
      readonly seq: number;
    }
  /** Closes every batch: what is due by now happens, and free slots are filled. */
  | { readonly kind: "tick" };

export interface FinishedTask {
  readonly id: TaskId;
  readonly queue: string;
  readonly state: FinalState;
}

/** A blob whose lease was over when it was looked at, and what a look at the store has shown of it. */
export interface SeenBlob {
  readonly sha256: string;
  /** As it was. */
  readonly record: BlobRecord;
  /** Whether anything named it; null if there are too many pins to say it in this look. */
  readonly isNamed: boolean | null;
  /** Ids of its pins whose task is forgotten, or whose attempt is over. */
  readonly deadPins: readonly string[];
}

/** An object that holds a whole upload. */
export interface Upload {
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  readonly object: string;
  /** The object of the same content that was looked for and is not there any more; null if it is there, or none was known. */
  readonly missing: string | null;
}

/** What the store knew of some ids, and the seq at which that was true. */
export interface Lookup {
  readonly seq: number;
  readonly found: ReadonlyMap<TaskId, string | null>;
  /** Of the tasks that are named in `after`: those that had ended by then, or later. */
  readonly ended?: ReadonlyMap<TaskId, FinalState>;
}

/** Finished tasks of one family, and a seq since which nothing of it may have changed. */
export interface FinishedTree {
  readonly seq: number;
  /** How those tasks have ended that these wait for, as far as they have and are not among these. */
  readonly ends: ReadonlyMap<TaskId, FinalState>;
  /** Without their outputs. */
  readonly tasks: readonly { readonly head: TaskHead; readonly status: TaskStatus }[];
  /** Those that the tasks belong to, and those of graphs among them. */
  readonly sets: readonly { readonly prefix: string; readonly record: ChildSetRecord }[];
}
