/** The external ledger: what tasks, clients and wires saw happen, kept apart from the journal that it is compared with. */
import type { Write } from "../../model/entry.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import type { AbortReason, Outcome } from "../../model/protocol.ts";
import type { TaskDocument, TaskState } from "../../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../../model/worker.ts";
import type { Conditions } from "./conditions.ts";
import type { JobHappening } from "./jobHappening.ts";
import type { WorldEvent } from "./worldEvents.ts";

/** How an execution really ended, reported by the executor itself. `died`: the worker's process died. */
export type ExecutionEnd = "suspended" | "success" | "failed" | "timeout" | "aborted" | "died";

/**
 * One thing that happened. `life` names one life of a master's process. `assignedAt` and `createdAt` are instants of the
 * journal: they tell a task from an earlier one of the same id, which is forgotten. Absent where no id is used again.
 */
export type Happening =
  | {
      readonly kind: "submit-invoke";
      readonly call: number;
      readonly key: string | null;
      readonly tasks: readonly SubmittedShape[];
    }
  | { readonly kind: "submit-ok"; readonly call: number; readonly ids: readonly TaskId[] }
  | { readonly kind: "submit-fail"; readonly call: number; readonly code: string }
  | { readonly kind: "submit-info"; readonly call: number }
  /** Somebody put it straight into the store. */
  | { readonly kind: "inserted"; readonly task: TaskId }
  | { readonly kind: "cancel-ok"; readonly task: TaskId }
  | { readonly kind: "cancel-fail"; readonly task: TaskId; readonly code: string }
  | { readonly kind: "cancel-info"; readonly task: TaskId }
  | {
      readonly kind: "read";
      /** The order of the moment at which it was asked for: reads that were open together have no order. */
      readonly asked: number;
      readonly session: string;
      readonly life: string;
      readonly task: TaskId;
      readonly state: TaskState;
      readonly attempt: number;
      readonly createdAt?: number;
    }
  /** What left a master, at the instant it left. */
  /** `areNew[i]`: the master says that this submission created `ids[i]`. */
  | {
      readonly kind: "acked-submit";
      readonly life: string;
      readonly ids: readonly TaskId[];
      readonly areNew?: readonly boolean[];
    }
  /** Asked for at `asked`. */
  | { readonly kind: "acked-cancel"; readonly life: string; readonly asked: number; readonly task: TaskId }
  /** Somebody wants the finished tasks of a queue gone that ended so. It may happen at any time from here on. */
  | { readonly kind: "delete-asked"; readonly queue: string; readonly state: TaskState }
  | { readonly kind: "acked-delete"; readonly life: string; readonly task: TaskId }
  /** A retry of this one task, which may open what succeeded above it. */
  | { readonly kind: "retry-asked"; readonly task: TaskId }
  /** A retry by a filter, asked for at `asked`, has opened this task. */
  | { readonly kind: "acked-retry"; readonly life: string; readonly asked: number; readonly task: TaskId }
  /** What a submission with a unique key was answered; null where it was refused because of it. */
  | {
      readonly kind: "unique-answer";
      readonly asked: number;
      readonly queue: string;
      readonly key: string;
      readonly task: TaskId | null;
      readonly answer: { readonly isExisting?: true; readonly replaced?: TaskId } | null;
    }
  | { readonly kind: "acked-queue"; readonly life: string; readonly queue: string; readonly isPaused: boolean }
  | { readonly kind: "acked-drain"; readonly life: string; readonly worker: WorkerId }
  | {
      readonly kind: "sent-assign";
      readonly life: string;
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly task: TaskId;
      readonly attempt: number;
      readonly assignedAt?: number;
    }
  | {
      readonly kind: "sent-abort";
      readonly life: string;
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly task: TaskId;
      readonly attempt: number;
      readonly assignedAt?: number;
      readonly reason: AbortReason | "attach";
    }
  | {
      readonly kind: "sent-verdict";
      readonly life: string;
      readonly worker: WorkerId;
      readonly task: TaskId;
      readonly attempt: number;
      readonly assignedAt?: number;
      readonly verdict: "committed" | "stale";
      readonly outcome: Outcome | null;
    }
  /** `text` stands for the writes of the entry that was told of. */
  | {
      readonly kind: "sent-change";
      readonly life: string;
      readonly seq: number;
      readonly epoch: number;
      readonly text: number;
    }
  /** A leader told a standby of its lease and its journal; `stored` is the lease that the store had at that instant. */
  | {
      readonly kind: "sent-beat";
      readonly life: string;
      readonly epoch: number;
      readonly beat: number;
      readonly seq: number;
      readonly stored: { readonly epoch: number; readonly beat: number } | null;
    }
  /** Entries below `firstSeq` have gone; `notes` says how far each master was by its last note, how old that was, and since when it was in sight. */
  | {
      readonly kind: "compacted";
      readonly node: string;
      readonly life: string;
      readonly firstSeq: number;
      readonly notes: readonly {
        readonly name: string;
        readonly seq: number;
        readonly ageMs: number;
        readonly knownMs: number;
      }[];
    }
  /** What a follower of events got, through whichever master; and that it was told to read everything anew. */
  | {
      readonly kind: "event";
      readonly session: string;
      readonly seq: number;
      readonly epoch: number;
      readonly text: number;
    }
  | { readonly kind: "event-reset"; readonly session: string; readonly seq: number }
  /** What reached a master of a worker, and the worker's stream as that master's process sees it. */
  | { readonly kind: "heard"; readonly life: string; readonly worker: WorkerId; readonly boot: BootId | null }
  | {
      readonly kind: "stream-opened";
      readonly life: string;
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly session: string;
      /** A standby passes the stream on. */
      readonly isRelayed?: boolean;
    }
  | {
      readonly kind: "stream-closed";
      readonly life: string;
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly session: string;
      /** The master has ended it itself, as one of a session that is over. */
      readonly isByMaster?: boolean;
    }
  /** What reached a worker's process: an epoch in an answer that it took, an assignment with its epoch. */
  | { readonly kind: "told-epoch"; readonly worker: WorkerId; readonly boot: BootId; readonly epoch: number }
  | {
      readonly kind: "received-assign";
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly epoch: number;
      readonly task: TaskId;
      readonly attempt: number;
      readonly assignedAt?: number;
    }
  /** What ran. `token` is made afresh by each execution and is its output, if it has one. */
  | {
      readonly kind: "exec-start";
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly task: TaskId;
      readonly attempt: number;
      readonly assignedAt?: number;
      readonly token: string;
      /** Of a command that takes the output of another task: what it was given. */
      readonly given?: string;
    }
  | {
      readonly kind: "exec-end";
      readonly worker: WorkerId;
      readonly boot: BootId;
      readonly task: TaskId;
      readonly attempt: number;
      readonly assignedAt?: number;
      readonly token: string;
      readonly end: ExecutionEnd;
    }
  /** A worker could not start an attempt, for a reason of its machine's. */
  | { readonly kind: "handed-back"; readonly worker: WorkerId; readonly task: TaskId }
  /** An attempt sent its n-th item while it ran; a master answered it; the attempt was told the answer. */
  | { readonly kind: "item-sent"; readonly task: TaskId; readonly token: string; readonly number: number }
  | {
      readonly kind: "item-acked";
      readonly life: string;
      readonly token: string;
      readonly number: number;
      readonly verdict: "committed" | "stale";
    }
  | {
      readonly kind: "item-answered";
      readonly task: TaskId;
      readonly token: string;
      readonly number: number;
      readonly verdict: "committed" | "stale" | "refused";
    }
  /** An execution of a script has run the function of a step; it was told that the step is remembered. */
  | { readonly kind: "step-ran"; readonly task: TaskId; readonly key: string; readonly token: string }
  | { readonly kind: "step-kept"; readonly task: TaskId; readonly key: string; readonly token: string }
  /** An execution of a script was told which independent task it has made under a key. */
  | { readonly kind: "told-made"; readonly task: TaskId; readonly key: string; readonly made: TaskId | null }
  /** A master has taken a signal; ids of signals are used once. */
  | { readonly kind: "acked-signal"; readonly life: string; readonly task: TaskId; readonly signal: string }
  /** A task was made from a template: of this version, or of whichever was the latest one since `asked`. */
  | {
      readonly kind: "template-run";
      readonly asked: number;
      readonly task: TaskId;
      readonly template: string;
      readonly version: number | null;
    }
  /** The receiver of webhooks has taken a message, whether or not its sender learns of it. `toldAt` is an instant of the journal. */
  | {
      readonly kind: "webhook-taken";
      readonly life: string;
      readonly webhook: string;
      readonly message: string;
      readonly type: string;
      readonly toldAt: number;
      readonly task?: TaskId;
      readonly state?: TaskState;
      readonly attempt?: number;
    }
  /** A service runs a job for a task; the job has ended, by itself or because it was told to. */
  | { readonly kind: "remote-started"; readonly key: string; readonly task: TaskId }
  | { readonly kind: "remote-ended"; readonly key: string; readonly outcome: "success" | "failed" | "stopped" }
  /** What an execution printed. */
  | { readonly kind: "exec-wrote"; readonly token: string; readonly text: string }
  /** What the store held of an attempt's log when its task was forgotten. */
  | {
      readonly kind: "log-forgotten";
      readonly task: TaskId;
      readonly attempt: number;
      readonly pieces: readonly LogPiece[];
    }
  /** A worker's process was killed: what it did last may be missing from the record. */
  | { readonly kind: "record-ends"; readonly worker: WorkerId; readonly boot: BootId }
  /** The place of files: an object is there whole; it has gone. */
  | { readonly kind: "object-stored"; readonly object: string }
  | { readonly kind: "object-deleted"; readonly object: string }
  | JobHappening
  /** The store: when a master handed an entry over, when it got an answer, whatever it was, and when the entry really went in. */
  | {
      readonly kind: "append";
      readonly life: string;
      readonly seq: number;
      readonly epoch: number;
      readonly isMarker: boolean;
    }
  | { readonly kind: "append-answered"; readonly life: string; readonly seq: number }
  | { readonly kind: "landed"; readonly seq: number }
  /** The connection of this standby to the leader has closed. */
  | { readonly kind: "peer-lost"; readonly life: string }
  /** Who leads in truth from here on: awake, and the author of the last marker; null for nobody. */
  | { readonly kind: "leads"; readonly life: string | null; readonly epoch: number }
  | WorldEvent;

/** What a submission asked for, as far as checkers need it. `body` stands for its whole content. */
export interface SubmittedShape {
  readonly id: string | null;
  readonly body: string;
}

/** A piece of an attempt's log as the store holds it; `offset` is in bytes. */
export interface LogPiece {
  readonly offset: number;
  readonly text: string;
}

export type LedgerEvent = Happening & {
  /** Position among all events: what is earlier here was earlier in real time. */
  readonly order: number;
  /** True time in ms since the world began. */
  readonly at: number;
};

export class Ledger {
  readonly events: LedgerEvent[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(happening: Happening): void {
    this.events.push({ ...happening, order: this.events.length, at: this.#now() });
  }
}

/** An entry of the journal as the store really has it. */
export interface LandedEntry {
  readonly seq: number;
  readonly epoch: number;
  readonly nonce: string;
  /** The deciding master's clock. */
  readonly at: number;
  readonly crc: number;
  readonly previousCrc: number;
  /** When it went in: true time, and its place in the ledger's order. */
  readonly landedAt: number;
  readonly order: number;
  readonly writes: readonly Write[];
  /** Where checkers see other names in `writes` than the store does: a number that stands for what the store holds. */
  readonly text?: number;
}

/** What there was when all was over and quiet. */
export interface FinalState {
  readonly documents: ReadonlyMap<TaskId, TaskDocument>;
  readonly workers: readonly WorkerRecord[];
  readonly queues: readonly QueueRecord[];
  /** Results still waiting in each worker's outbox. */
  readonly outboxes: ReadonlyMap<string, number>;
  /** What the leader holds in memory, asked through its own face; null if there was no leader. */
  readonly leader: LeaderMemory | null;
  /** How far each follower of events has come; null for one that has been told nothing. */
  readonly followers: ReadonlyMap<string, number | null>;
  /** Every master that is up. */
  readonly masters: readonly MasterMemory[];
  /** How often a standby found that its memory was not the leader's, over all lives of all masters. */
  readonly drifts: number;
  /** The world was given up before everything was quiet: tasks not final, by what they wait for. */
  readonly unfinished: ReadonlyMap<TaskId, string>;
  /** The log of each attempt that has one, by `task/attempt`; absent where logs are not looked at. */
  readonly logs?: ReadonlyMap<string, FinalLog>;
}

export interface FinalLog {
  readonly task: TaskId;
  readonly attempt: number;
  readonly pieces: readonly LogPiece[];
}

export interface LeaderMemory {
  readonly seq: number;
  readonly tasksByState: { readonly [state: string]: number };
  readonly workers: readonly { readonly id: WorkerId; readonly boot: BootId; readonly running: number }[];
  readonly queues: readonly {
    readonly name: string;
    readonly isPaused: boolean;
    readonly tasks: { readonly [state: string]: number };
  }[];
}

/** What one master holds at the end, seen through its face and from around its process. */
export interface MasterMemory {
  readonly life: string;
  readonly isLeader: boolean;
  readonly seq: number;
  readonly tasksByState: { readonly [state: string]: number };
  readonly inboxLength: number;
  /** Calls that have reached it and have no answer yet. */
  readonly openCalls: readonly string[];
  /** Streams, of workers and of followers, whose end at this master is open. */
  readonly openStreams: number;
  /** Timers that its process has set and that have not gone off. */
  readonly timers: number;
}

/** All that checkers get to see of a run. */
export interface History {
  readonly events: readonly LedgerEvent[];
  readonly entries: readonly LandedEntry[];
  readonly final: FinalState;
  readonly conditions: Conditions;
}
