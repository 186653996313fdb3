/** One attempt in a worker's hands, from its assignment until its result is settled. */
import { attemptKey, type BootId, type TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type {
  AbortReason,
  Assignment,
  AttemptEnd,
  AttemptRef,
  IssuedAttempt,
  ResultItem,
} from "../../model/protocol.ts";
import type { HeapItem } from "../heap.ts";

/**
 * waiting    assigned, but every slot is taken by an attempt that is still dying
 * running    holds a slot
 * writing    has ended; its result is on its way to the disk
 * unsettled  its result waits for a verdict
 * settled    over
 */
export type AttemptPhase = "waiting" | "running" | "writing" | "unsettled" | "settled";

export class HeldAttempt implements HeapItem, IssuedAttempt {
  readonly task: TaskId;
  readonly attempt: number;
  readonly assignedAt: number;
  readonly key: string;
  phase: AttemptPhase = "waiting";
  /** Needed until it is started. */
  assignment: Assignment | null = null;
  timeoutMs: number | null = null;
  /** When it was taken or, once it runs, started. */
  startedAt: number;
  /** Its time is up then, if it has a time-out. */
  deadlineAt = 0;
  heapIndex = -1;
  /** Why it was told to end; null while it was not. */
  endedBy: AbortReason | "drain" | null = null;
  /** Its start has not been told yet. */
  isStartUnreported = false;
  result: ResultItem | null = null;
  /** An upper bound for the result's size on the wire. */
  resultBytes = 0;
  isOnDisk = false;

  constructor({ task, attempt, assignedAt }: IssuedAttempt, startedAt: number) {
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

  setResult(result: ResultItem, outputBytes: number): void {
    this.result = result;
    const { error } = result;
    // 1 KiB for names and numbers; JSON writes one UTF-16 unit in at most six bytes.
    this.resultBytes = 1024 + outputBytes + (error === undefined ? 0 : 6 * (error.code.length + error.message.length));
  }
}

/** Bytes of `output` as JSON in UTF-8. */
export function outputBytes(output: ResultItem["output"]): number {
  if (output === undefined) return 0;
  const text = JSON.stringify(output);
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // A surrogate is half of a pair that takes four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** What is to be reported of an attempt that has ended. A master would refuse what is too large for ever, so it is cut here. */
export function toResult(held: HeldAttempt, boot: BootId, ending: AttemptEnd): ResultItem {
  const result: ResultItem = { kind: "result", ...held.issued, boot, ...ending };
  if (ending.outcome === "aborted" && held.endedBy === "timeout") {
    const error = { code: "timeout", message: `It ran longer than ${held.timeoutMs} ms.` };
    return { ...result, outcome: "failed", error };
  }
  const sizeBytes = outputBytes(ending.output);
  if (sizeBytes > limits.resultBytesMax) {
    const message = `Its output has ${sizeBytes} bytes; ${limits.resultBytesMax} are allowed.`;
    const { output: _, ...rest } = result;
    return { ...rest, outcome: "failed", error: { code: "output-too-large", message } };
  }
  if (ending.error !== undefined && ending.error.message.length > limits.errorMessageLengthMax) {
    const message = ending.error.message.slice(0, limits.errorMessageLengthMax).toWellFormed();
    return { ...result, error: { code: ending.error.code, message } };
  }
  return result;
}
