/** What the Scheduler is told. Each input is one thing that happened outside; time comes with the batch. */
import type { BootId, SessionId, TaskId, WorkerId } from "../model/ids.ts";
import type { AttachRequest, ReportItem } from "../model/protocol.ts";
import type { TaskSpec } from "../model/task.ts";

/** Ties a reply to its question; made by the shell, unique while the question is open. */
export type RequestId = number;

export type SchedulerInput =
  /** Create tasks, all or none. `lookup` is there when a client chose an id or a key: what the store knew of those ids. */
  | { readonly kind: "submit"; readonly request: RequestId; readonly specs: readonly TaskSpec[]; readonly lookup: Lookup | null }
  | { readonly kind: "cancel"; readonly request: RequestId; readonly id: TaskId }
  | { readonly kind: "set-queue"; readonly request: RequestId; readonly name: string; readonly isPaused: boolean }
  | { readonly kind: "drain-worker"; readonly request: RequestId; readonly worker: WorkerId }
  | { readonly kind: "inspect-workers"; readonly request: RequestId }
  | { readonly kind: "inspect-queues"; readonly request: RequestId }
  | { readonly kind: "attach"; readonly request: RequestId; readonly worker: WorkerId; readonly attach: AttachRequest; readonly host: string }
  /** The stream of a session is open: from now on the worker can be reached. */
  | { readonly kind: "opened"; readonly worker: WorkerId; readonly session: SessionId }
  | { readonly kind: "closed"; readonly worker: WorkerId; readonly session: SessionId }
  | { readonly kind: "beat"; readonly worker: WorkerId; readonly session: SessionId }
  | { readonly kind: "report"; readonly request: RequestId; readonly worker: WorkerId; readonly session: SessionId; readonly items: readonly ReportItem[] }
  /** Proof that a boot is dead: its supervisor saw it exit, or its port refuses connections. */
  | { readonly kind: "boot-ended"; readonly worker: WorkerId; readonly boot: BootId; readonly evidence: "supervisor" | "refused" }
  /** Like boot-ended by a supervisor, where somebody waits for the answer. */
  | { readonly kind: "report-exit"; readonly request: RequestId; readonly worker: WorkerId; readonly boot: BootId }
  /** Time passed in which nothing could be seen or decided (store away, stalled loop, suspended machine): no silence counts. */
  | { readonly kind: "blind"; readonly forMs: number }
  /** Finished tasks that have outlived their retention, found by the shell in the view. */
  | { readonly kind: "forget"; readonly ids: readonly TaskId[] };

/** What the store knew of some ids, and the seq at which that was true. */
export interface Lookup {
  readonly seq: number;
  readonly found: ReadonlyMap<TaskId, string | null>;
}
