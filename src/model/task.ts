/** A task: what was asked for (its spec, never changed) and how it stands (its status, written at each change). */
import type { AttemptError } from "./attemptError.ts";
import { defaults } from "./defaults.ts";
import type { Backup, OpenWait } from "./family.ts";
import type { RunCondition } from "./graphs/conditions.ts";
import type { BootId, TaskId, WorkerId } from "./ids.ts";
import type { Json } from "./json.ts";
import type { OpenRun } from "./kinds/remote.ts";
import type { Rights } from "./principals/principal.ts";
import type { ScheduleOrigin } from "./schedules/scheduleOrigin.ts";
import type { TemplateOrigin } from "./templates/template.ts";
import type { Waiting } from "./waiting.ts";

/**
 * created   waits for a free slot, or for its start time
 * blocked   waits for the tasks named in `after`
 * running   one attempt is assigned to one boot of one worker
 * waiting   has given its worker back until its children are done
 * retrying  an attempt failed; the next one waits for its back-off
 * killed    lost its worker; runs again, from scratch, on the next free slot
 * success, failed, cancelled   final
 * skipped   final: it never ran, since the tasks that it waited for did not end in the way that `runIf` asks for
 */
export const taskStates = [
  "created",
  "blocked",
  "running",
  "waiting",
  "retrying",
  "killed",
  "success",
  "failed",
  "cancelled",
  // At the end: stores and digests know states by their place.
  "skipped",
] as const;
export type TaskState = (typeof taskStates)[number];
export type FinalState = "success" | "failed" | "cancelled" | "skipped";

/** The only steps a task may take from one committed state to the next. `null` is "not there yet". */
export const transitions: { readonly [From in TaskState | "none"]: readonly TaskState[] } = {
  // Several steps may share one journal entry, and only the last of them is written: a new task may be running already.
  none: ["created", "blocked", "running", "waiting", "cancelled", "skipped"],
  // A graph needs no worker: it waits for its nodes at once.
  created: ["running", "blocked", "waiting", "failed", "cancelled", "skipped"],
  blocked: ["created", "running", "waiting", "failed", "cancelled", "skipped"],
  running: ["success", "failed", "retrying", "killed", "waiting", "cancelled", "running"],
  // A waiting task may take notice of one thing after another, or wait for its descendants to end once its outcome is decided.
  waiting: ["running", "waiting", "success", "failed", "cancelled"],
  // To success by a backup.
  retrying: ["running", "waiting", "success", "failed", "cancelled"],
  killed: ["running", "waiting", "success", "failed", "cancelled"],
  // A retry opens what has ended, and what has ended above it.
  success: ["created"],
  failed: ["created", "blocked", "waiting"],
  cancelled: ["created", "blocked", "waiting"],
  skipped: ["created", "blocked"],
};

export function isFinal(state: TaskState): state is FinalState {
  return state === "success" || state === "failed" || state === "cancelled" || state === "skipped";
}

/** How often and how long a task may try. */
export interface TaskLimits {
  /** Attempts that may fail before the task fails; 1 means no retry. Lost workers do not count. */
  readonly attemptsMax: number;
  /** Workers that may be lost under it before the task fails; null for no bound. */
  readonly killsMax: number | null;
  /** One attempt may last this long; null for no bound. */
  readonly timeoutMs: number | null;
  /** The n-th retry waits `min(backoffMaxMs, backoffBaseMs * backoffFactor ** (n - 1))`, less up to half of it (jitter). */
  readonly backoffBaseMs: number;
  readonly backoffFactor: number;
  readonly backoffMaxMs: number;
}

/** What decisions need to know of a spec: everything but the payload. */
export interface TaskHead {
  readonly id: TaskId;
  readonly queue: string;
  /** A built-in kind, or the name of a handler that some workers have. */
  readonly kind: string;
  /** Labels that its worker must carry; sorted, without repeats. Left out if there are none. */
  readonly requires?: readonly string[];
  /** Masters decide it: it becomes one child for each worker that could take it. */
  readonly broadcast?: true;
  /** Of all tasks of its queue with this key, only some run at a time. Left out for no key. */
  readonly concurrencyKey?: string;
  /** It starts only while fewer than that run with its key; 1 if left out. */
  readonly concurrencyMax?: number;
  /** Of the unfinished tasks of its queue with this key, only one counts. Left out for no key. */
  readonly uniqueKey?: string;
  /** If it has not started by then, it fails as `expired`. Left out for no bound. */
  readonly expiresAt?: number;
  /** For the task with all its attempts and waits, from its creation on. Left out for no bound. */
  readonly deadlineMs?: number;
  /** -1000 to 1000; a higher one starts first within its queue. */
  readonly priority: number;
  readonly createdAt: number;
  /** Not to be started before this instant; null for at once. */
  readonly startAt: number | null;
  readonly limits: TaskLimits;
  /** The task that it is a child of. */
  readonly parent?: TaskId;
  /** The task of which this one is a backup: it does the same, and counts nowhere. */
  readonly backupOf?: TaskId;
  /** 1 for a child, 2 for its child …; left out for a task without a parent. */
  readonly depth?: number;
  /** The tasks that must have ended before it starts; without repeats. Left out if there are none. */
  readonly after?: readonly TaskId[];
  /** `success` if left out. */
  readonly runIf?: RunCondition;
  /** True if its input takes outputs of those tasks: it is resolved once they have ended. */
  readonly takesOutputs?: true;
  /** Who submitted it, and what it may reach; left out where nobody needed a credential. Its children have the same. */
  readonly rights?: Rights;
  /** Digest of the submission where the client chose the id or sent an idempotency key; null where the id is ours. */
  readonly fingerprint: string | null;
}

/**
 * existing  the unfinished task with the unique key is answered, and none is created
 * refuse    the submission is refused
 * replace   that task is cancelled, and the new one starts when it has ended
 */
export const conflictRules = ["existing", "refuse", "replace"] as const;
export type OnConflict = (typeof conflictRules)[number];

/** What a worker needs to run a task. Kept out of the leader's memory: only the store and the worker read it. */
export interface TaskPayload {
  readonly name: string;
  readonly kind: string;
  readonly input: Json;
  /** The trace that it belongs to; see trace.ts. Left out for none. */
  readonly traceparent?: string;
}

export interface TaskSpec extends TaskHead, TaskPayload {
  /** What was to happen where another task had its unique key; `existing` if left out. */
  readonly onConflict?: OnConflict;
  /** Of a node of a graph: what the tasks in `after` are called there, in the same order. */
  readonly afterNames?: readonly string[];
  /** Where the task came from, if somebody put it straight into the store: its document there is claimed, not replaced. */
  readonly adoptedFrom?: "store";
  /** Of a task that was made from a template. */
  readonly origin?: TemplateOrigin;
  /** Of a task that a schedule has made. */
  readonly schedule?: ScheduleOrigin;
}

/** How far an attempt says that it is, in units of its own. Not durable: a new leader does not know it until it is told again. */
export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly text?: string;
  /** When it was said, by the worker's clock, in ms since 1970. */
  readonly at: number;
}

/** How a command ended: by itself with a code, or by a signal. */
export interface ExitRecord {
  readonly code: number | null;
  readonly signal: string | null;
  /** How a command was bounded that asks for it. */
  readonly bounds?: BoundMeans;
}

/** `cgroup`: the command with all that it starts. `process`: each of its processes by itself. */
export interface BoundMeans {
  readonly memory?: (typeof boundMeans)[number];
  readonly processes?: "cgroup";
}

export const boundMeans = ["cgroup", "process"] as const;

/** Children by state; a state that none is in is left out. */
export type ChildCounts = { readonly [State in TaskState]?: number };

export interface EndedCounts {
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Left out if 0. */
  readonly skipped?: number;
}

/** What a handler remembers and waits for. */
export interface FamilyStatus {
  /** Remembered steps, and the bytes of their values. */
  readonly steps: number;
  readonly stepBytes: number;
  /** The generation; a retry from scratch begins a new one. */
  readonly epoch: number;
  /** Children made so far. */
  readonly children: number;
  /** How the children of those sets ended that it has taken notice of. */
  readonly ended?: EndedCounts;
  /** What it waits for. */
  readonly waits?: readonly OpenWait[];
  /** True once something of that is over: it waits for a worker only. */
  readonly isWoken?: boolean;
  /** The outcome is decided; the task ends when its last descendant has. */
  readonly ending?: FinalState;
  /** Of a task that has ended: ids of the signals that were delivered to it. One that is sent again is known by its id. */
  readonly signalled?: readonly string[];
  /** The last item of the current attempt that has taken effect. */
  readonly lastItem?: number;
}

/** How a task stands. Fields that do not apply are left out, so that a status stays small. */
export interface TaskStatus {
  readonly id: TaskId;
  readonly state: TaskState;
  /** Starts so far: 0 before the first one, then 1, 2, 3 … without gaps. */
  readonly attempt: number;
  /** Attempts that failed by the task's own doing. */
  readonly failures: number;
  /** Attempts that ended because their worker was lost. */
  readonly kills: number;
  /** Attempts that ended and count neither as failed nor as killed: the worker could not run them. Left out if 0. */
  readonly uncounted?: number;
  /** Of these, the last ones in a row at which its worker died while hardly any other worker did. Left out if 0. */
  readonly losses?: number;
  /** How many workers of the cluster had died in all when the first of these losses had been counted. Left out without losses. */
  readonly firstLoss?: number;
  /** While running: its worker runs nothing else, since the task may be what takes its workers down. */
  readonly isAlone?: boolean;
  /** When this status was decided. */
  readonly changedAt: number;
  /** The worker of the current or last attempt. */
  readonly host?: WorkerId;
  /** The boot of that worker: an attempt belongs to one life of one worker. */
  readonly boot?: BootId;
  /** When the current or last attempt was assigned. */
  readonly assignedAt?: number;
  /** When it was last retried after it had ended, by the wall clock: `deadlineMs` counts from then on, and `expiresAt` is over. */
  readonly retriedAt?: number;
  /** When its worker started it, by the worker's clock. */
  readonly startedAt?: number;
  /** When the last attempt ended. */
  readonly endedAt?: number;
  /** While retrying, or killed: not to be started before this instant. */
  readonly retryAt?: number;
  /** What the successful attempt gave back. */
  readonly output?: Json;
  /** Why the last attempt that ended did not succeed. */
  readonly error?: AttemptError;
  readonly exit?: ExitRecord;
  /** True once the last attempt has a record of its own: what else stands here is about the task. */
  readonly isRecorded?: boolean;
  /** Of several commands: how each ended that was started in the last attempt, in order. */
  readonly exits?: readonly ExitRecord[];
  /** Of a task whose handler remembers steps, has children or waits. */
  readonly family?: FamilyStatus;
  /** Bytes of log that the last ended attempt wrote. */
  readonly logBytes?: number;
  /** Left out for a task that has had none. */
  readonly backup?: Backup;
  /** Its job at a service, while that is not known to have ended. */
  readonly openRun?: OpenRun;
}

/** True for a task that may be what takes its workers down: it runs alone, so that it cannot take others along. */
export function isSuspect({ losses = 0 }: Pick<TaskStatus, "losses">): boolean {
  return losses >= defaults.lossesBeforeAlone;
}

/** A task as the API shows it: spec and status in one document. */
export interface TaskDocument extends TaskSpec, Omit<TaskStatus, "id"> {
  /** Of the running attempt, from the leader's memory. */
  readonly progress?: Progress;
  /** The input with the outputs in their places, once it is resolved. */
  readonly resolvedInput?: Json;
  /** Why it does not run; only while it waits. */
  readonly waiting?: Waiting;
  /** Of a task with children: how many there are of each state. */
  readonly childCounts?: ChildCounts;
}

export type { AttemptError };
