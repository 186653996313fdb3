/** The fields of a submission: what a client may ask for. Their bounds are in submission.ts. */
import type { RunCondition } from "./graphs/conditions.ts";
import type { Json } from "./json.ts";
import type { OnConflict } from "./task.ts";

/** One task as a client asks for it. Durations in ms, instants in ms since 1970. */
export interface Submission {
  /** Chosen by the client; asking twice for the same id with the same content is one task. */
  readonly id?: string;
  /** For people; the id if left out. */
  readonly name?: string;
  /** A built-in kind, such as `sleep` or `exec`, or the name of a handler that some workers have. */
  readonly kind: string;
  readonly input: Json;
  readonly queue?: string;
  readonly priority?: number;
  /** Labels that a worker must carry to be given this task. */
  readonly requires?: readonly string[];
  /** Runs once on every worker that could take it; see docs/broadcasts.md. */
  readonly broadcast?: boolean;
  readonly startAt?: number;
  /** Of all tasks of its queue with this key, only `concurrencyMax` run at a time. */
  readonly concurrencyKey?: string;
  /** 1 if left out. */
  readonly concurrencyMax?: number;
  /** Of the unfinished tasks of its queue with this key there is only one. */
  readonly uniqueKey?: string;
  /** What happens if there is one; `existing` if left out. */
  readonly onConflict?: OnConflict;
  /** If it has not started by then, it fails as `expired`. */
  readonly expiresAt?: number;
  /** For the task with all its attempts and waits, from its creation on. */
  readonly deadlineMs?: number;
  readonly attemptsMax?: number;
  readonly killsMax?: number;
  readonly timeoutMs?: number;
  readonly backoffBaseMs?: number;
  readonly backoffFactor?: number;
  readonly backoffMaxMs?: number;
  /** Ids of tasks that must have ended before this one starts, those that have ended already included. */
  readonly after?: readonly string[];
  /** What must have become of them: `success` if left out. */
  readonly runIf?: RunCondition;
}
