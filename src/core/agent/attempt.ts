/** One attempt on a worker, from its assignment until its result is settled. */
import { wasHandedBack } from "../../model/attemptRecord.ts";
import { attemptKey, type BootId, type TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import type {
  AbortCause,
  Assignment,
  AttemptEnd,
  AttemptRef,
  IssuedAttempt,
  ResultItem,
} from "../../model/protocol.ts";
import type { HeapItem } from "../heap.ts";
import { AttemptItems, type ItemBudget } from "./attemptItems.ts";
import { soundEnd } from "./endChecks.ts";

/**
 * waiting    assigned, but every slot is taken by an attempt that is still ending
 * running    holds a slot
 * closing    has ended; its result waits until the leader has acknowledged all items that the attempt sent before
 * writing    has ended; its result is being written to disk
 * unsettled  its result waits for a verdict
 * settled    over
 */
export type AttemptPhase = "waiting" | "running" | "closing" | "writing" | "unsettled" | "settled";

export class HeldAttempt implements HeapItem, IssuedAttempt {
  readonly task: TaskId;
  readonly attempt: number;
  readonly assignedAt: number;
  readonly key: string;
  phase: AttemptPhase = "waiting";
  /** Needed until it is started. */
  assignment: Assignment | null = null;
  timeoutMs: number | null = null;
  /** When it was accepted or, once it runs, started. */
  startedAt: number;
  /** When its time-out expires, if it has one. */
  deadlineAt = 0;
  heapIndex = -1;
  /** Why it was told to end; null while it was not. */
  endedBy: AbortCause | null = null;
  /** The leader has not been told yet that it started. */
  isStartUnreported = false;
  /** Made when it first exchanges something with the leader: most attempts never do. */
  #items: AttemptItems | null = null;
  /** By which its result is acknowledged. */
  resultId = 0;
  result: ResultItem | null = null;
  /** An upper bound for the result's size on the wire. */
  resultBytes = 0;
  isOnDisk = false;

  readonly #budget: ItemBudget;

  constructor({ task, attempt, assignedAt }: IssuedAttempt, startedAt: number, budget: ItemBudget) {
    this.#budget = budget;
    this.task = task;
    this.attempt = attempt;
    this.assignedAt = assignedAt;
    this.key = attemptKey(task, attempt);
    this.startedAt = startedAt;
  }

  get ref(): AttemptRef {
    return { task: this.task, attempt: this.attempt };
  }

  get issued(): IssuedAttempt {
    return { ...this.ref, assignedAt: this.assignedAt };
  }

  get items(): AttemptItems {
    this.#items ??= new AttemptItems(this.#budget);
    return this.#items;
  }

  /** When its process ended, if it had one. */
  get processEnd(): { readonly endedAt?: number } {
    return this.result === null || wasHandedBack(this.result) ? {} : { endedAt: this.result.endedAt };
  }

  /** Null if it has exchanged nothing. */
  get itemsIfAny(): AttemptItems | null {
    return this.#items;
  }

  /** True if it has ended or is ending because the leader wanted that: whatever it still says changes nothing. */
  get isVoid(): boolean {
    return this.endedBy === "cancelled" || this.endedBy === "killed";
  }

  setResult(result: ResultItem, outputBytes: number): void {
    this.result = result;
    const { error, waits, exits } = result;
    const listBytes = jsonBytes(waits as unknown as Json) + jsonBytes(exits as unknown as Json);
    const errorBytes = error === undefined ? 0 : 6 * (error.code.length + error.message.length);
    // 1 KiB for names and numbers; JSON writes one UTF-16 unit in at most six bytes.
    this.resultBytes = 1024 + outputBytes + listBytes + errorBytes;
  }
}

/** What is to be reported of an attempt that has ended. */
export function toResult(held: HeldAttempt, boot: BootId, ending: AttemptEnd): ResultItem {
  const result: ResultItem = { kind: "result", ...held.issued, boot, ...soundEnd(ending) };
  if (ending.outcome !== "aborted" || held.endedBy !== "timeout") return result;
  const error = { code: "timeout", message: `It ran longer than ${held.timeoutMs} ms.` };
  return { ...result, outcome: "failed", error };
}
