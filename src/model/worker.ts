/** What masters remember of a worker and of a queue. */
import type { BootId, TaskId, WorkerId } from "./ids.ts";

/**
 * connected  its stream is open
 * suspect    silent or cut off: gets nothing new, keeps what it runs
 * lost       given up: its attempts were killed
 * gone       said goodbye, or was replaced
 */
export type WorkerState = "connected" | "suspect" | "lost" | "gone";

/** Where a boot listens only to be found dead: a refused connection there proves its death to who was answered there before. */
export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
}

/** The durable part: which boot of a worker holds which place. Its attempts point here by `boot`. */
export interface WorkerRecord {
  readonly id: WorkerId;
  readonly boot: BootId;
  readonly capacity: number;
  readonly queues: readonly string[];
  /** Kinds of tasks that it can run; left out by workers from before there were handlers. */
  readonly kinds?: readonly string[];
  /** What it carries of what tasks may require; left out if nothing. */
  readonly labels?: readonly string[];
  readonly isDraining: boolean;
  /** `connected` stands for "was there": only `lost` and `gone` are decisions. */
  readonly state: "connected" | "lost" | "gone";
  readonly changedAt: number;
  /** How often a process of it was found dead. Left out if 0. */
  readonly losses?: number;
  /** For people: host name, process id, version. */
  readonly hostname: string;
  readonly pid: number;
  readonly version: string;
  /** As its master sees it; absent if a refusal would prove nothing. */
  readonly probe?: ProbeAddress;
}

/** A worker as the API shows it. */
export interface WorkerView extends Omit<WorkerRecord, "state"> {
  readonly state: WorkerState;
  readonly running: number;
  /** Why it takes no tasks at the moment, in its own words; null if it does. */
  readonly trouble: string | null;
  /** When it was last heard of; null if not since this leader was elected. */
  readonly heardAt: number | null;
  /**
   * Attempts that are over for the leader while their processes may still be ending, at most `limits.dyingShownMax`; left out if
   * there is none. Not shown to those who are bound to queues.
   */
  readonly dying?: readonly DyingAttempt[];
  /** For those who are bound to queues: it serves others, too, so it is not theirs to drain. Left out if not. */
  readonly servesOthers?: true;
}

export interface DyingAttempt {
  readonly task: TaskId;
  readonly attempt: number;
}

export interface QueueRecord {
  readonly name: string;
  readonly isPaused: boolean;
  /** So many of its tasks run at a time; left out for no bound. */
  readonly concurrencyMax?: number;
  /** Left out for no bound. */
  readonly rate?: QueueRate;
}

/** At most `count` tasks of a queue are started in any `perMs` milliseconds. */
export interface QueueRate {
  readonly count: number;
  readonly perMs: number;
}

/** What operators may set of a queue. What is left out stays as it is; null takes a limit away. */
export interface QueueSettings {
  readonly isPaused?: boolean;
  readonly concurrencyMax?: number | null;
  readonly rate?: QueueRate | null;
}

/** A queue as the API shows it. */
export interface QueueView extends QueueRecord {
  /** Tasks by state, the final ones included while the store keeps them. */
  readonly tasks: { readonly [state: string]: number };
  /** Connected workers that serve it. */
  readonly workers: number;
  /** Of the tasks that could start and are first in their line, the one that has waited longest; left out if there is none. */
  readonly waitsLongest?: { readonly id: TaskId; readonly since: number };
}
