/** What the Scheduler wants done. Nothing of it may be seen by anyone before the writes of its batch are committed. */

import type { Write } from "../../model/entry.ts";
import type { ErrorCode, ErrorDetails } from "../../model/errors.ts";
import type { OpenFamily } from "../../model/family.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type {
  AbortedAttempt,
  AbortReason,
  Acknowledgement,
  IssuedAttempt,
  UnwantedAttempt,
  Verdict,
} from "../../model/protocol.ts";
import type { Progress } from "../../model/task.ts";
import type { AlarmKind } from "../../model/webhooks/delivery.ts";
import type { ProbeAddress, QueueView, WorkerView } from "../../model/worker.ts";
import type { RequestId } from "./inputs.ts";

export type SchedulerEffect =
  | { readonly kind: "reply"; readonly request: RequestId; readonly reply: Reply }
  /** The payload is added by the shell; an attempt is sent to one session of one boot only. */
  | {
      readonly kind: "assign";
      readonly worker: WorkerId;
      readonly session: SessionId;
      readonly attempts: readonly AssignedAttempt[];
    }
  | {
      readonly kind: "abort";
      readonly worker: WorkerId;
      readonly session: SessionId;
      readonly reason: AbortReason;
      readonly attempts: readonly AbortedAttempt[];
    }
  | { readonly kind: "drain"; readonly worker: WorkerId; readonly session: SessionId }
  /** A graph begins: its input is read and handed back as `graph-loaded`. Asked for again by every new leader. */
  | { readonly kind: "load-graph"; readonly task: TaskId; readonly inputEpoch?: number }
  /** All that these tasks wait for has ended: the outputs are put into their inputs, which come back as `input-resolved`. */
  | { readonly kind: "resolve-inputs"; readonly tasks: readonly TaskId[] }
  /** All nodes have ended: what the graph gives back, or why it failed, is read and handed back as `graph-concluded`. */
  | {
      readonly kind: "conclude-graph";
      readonly task: TaskId;
      readonly epoch: number;
      readonly inputEpoch?: number;
      readonly hasFailed: boolean;
      readonly isBroadcast: boolean;
    }
  /** For people only: the running attempt says how far it is. */
  | { readonly kind: "progress"; readonly task: TaskId; readonly attempt: number; readonly progress: Progress }
  | { readonly kind: "close-session"; readonly worker: WorkerId; readonly session: SessionId; readonly reason: string }
  | ({ readonly kind: "probe"; readonly worker: WorkerId; readonly boot: BootId } & ProbeAddress)
  /** Processes of attempts that were given up have ended: the records of those attempts are read and handed back as `process-ended`. */
  | {
      readonly kind: "look-up-attempts";
      readonly worker: WorkerId;
      /** Whatever was forgotten in a later entry may have been forgotten before the records were read. */
      readonly seq: number;
      readonly ends: readonly ProcessEnd[];
    }
  /** Nothing refers to it any more. If this is lost, the object is found later as one that no blob names. */
  | { readonly kind: "delete-object"; readonly object: string }
  /** For people only: in the log, and for webhooks. */
  | {
      readonly kind: "alarm";
      readonly alarm: AlarmKind;
      readonly message: string;
      readonly fields: { readonly [name: string]: string | number };
    };

/** An attempt's process has ended at this instant, by its worker's clock. */
export interface ProcessEnd extends IssuedAttempt {
  readonly endedAt: number;
}

export interface AssignedAttempt extends IssuedAttempt {
  readonly timeoutMs: number | null;
  readonly steps?: number;
  readonly isFamilyOpen?: boolean;
  readonly parent?: TaskId;
  /** Of a task that takes outputs: the generation for which its input was resolved. Added to the payload by the shell. */
  readonly inputEpoch?: number;
  /** Of a backup: the task whose payload it has. */
  readonly payloadOf?: TaskId;
}

export type Reply =
  | { readonly kind: "submitted"; readonly tasks: readonly SubmittedTask[] }
  | { readonly kind: "cancelled"; readonly id: TaskId }
  | { readonly kind: "done" }
  /** `reopened` counts all tasks that are open again; 0 if the task had not ended, or was retried before. */
  | { readonly kind: "retried"; readonly id: TaskId; readonly reopened: number }
  /** `isNew` is false if the latest version says the same. */
  | { readonly kind: "template"; readonly version: number; readonly isNew: boolean }
  /** `isNew` is false if the schedule said the same before. */
  | { readonly kind: "schedule"; readonly nextAt: number | null; readonly isNew: boolean }
  /** The ticks for which tasks were made, and where to go on; null at the end. */
  | { readonly kind: "backfilled"; readonly ticks: readonly number[]; readonly nextFrom: number | null }
  /** `hasFreshSecret` is true if it was given the fresh secret. */
  | { readonly kind: "webhook"; readonly isNew: boolean; readonly hasFreshSecret: boolean }
  /** The id of the delivery. */
  | { readonly kind: "tested"; readonly id: string }
  /** The object that holds the blob; another than the one that was uploaded if the content was known. */
  | { readonly kind: "blob"; readonly object: string; readonly isNew: boolean }
  | { readonly kind: "session"; readonly expiresAt: number }
  | { readonly kind: "family"; readonly epoch: number; readonly family: OpenFamily }
  /** Blocked tasks that wait for it, at most a page of them. */
  | { readonly kind: "dependents"; readonly tasks: readonly TaskId[] }
  | { readonly kind: "workers"; readonly workers: readonly WorkerView[] }
  | { readonly kind: "queues"; readonly queues: readonly QueueView[] }
  | {
      readonly kind: "attached";
      readonly session: SessionId;
      readonly abort: readonly UnwantedAttempt[];
      readonly verdicts: readonly Verdict[];
    }
  | {
      readonly kind: "reported";
      readonly verdicts: readonly Verdict[];
      readonly acks: readonly Acknowledgement[];
    }
  /** Of the first `seen` tasks of the request these were changed; the rest found no room. */
  | { readonly kind: "bulk"; readonly done: readonly TaskId[]; readonly seen: number }
  /** The lookup that came with a submit is too old to be trusted: look again and ask again. */
  | { readonly kind: "look-again" }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails };

export interface SubmittedTask {
  readonly id: TaskId;
  /** False if the same submission had created it before. */
  readonly isNew: boolean;
  /** It is another task, which has the unique key of the submission and has not ended. */
  readonly isExisting?: true;
  /** The task that it has replaced. */
  readonly replaced?: TaskId;
}

/** Where a step puts what it decided. */
export interface SchedulerOutput {
  /** The slot of the journal that these writes will take. */
  readonly seq: number;
  readonly writes: Write[];
  readonly effects: SchedulerEffect[];
  /** True once the journal's entry is so large that what can wait must be left to the next batch; never where it is absent. */
  isFull?(): boolean;
}

/** What one call works within: one instant, one output. */
export interface Batch {
  readonly now: number;
  readonly out: SchedulerOutput;
}
