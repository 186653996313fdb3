/** The audit record: who changed what, who signed in, and who was refused. */

export interface AuditRecord {
  readonly at: number;
  /** The principal: `root`, `user:ada`, `token:ci`, `anybody`; empty for a caller without valid credentials. */
  readonly by: string;
  /** What was asked for, such as `cancel` or `put-schedule`. */
  readonly action: string;
  /** What it was done to: the id of a task, the name of a queue … */
  readonly target?: string;
  readonly outcome: "done" | "refused";
  /** How many tasks a submission created, or how many equal refusals this record stands for; absent for one. */
  readonly count?: number;
  /** Where the request came from. */
  readonly address?: string;
  /** More about it, for people. */
  readonly detail?: string;
}

const timeDigits = 14;
const timeMax = 10 ** timeDigits - 1;
const seqDigits = 16;
const seqMax = Number.MAX_SAFE_INTEGER;

/** Ids count down, so that a list in the order of ids begins with the newest record. */
export function auditId(at: number, seq: number, index: number): string {
  const last = String(99_999 - index).padStart(5, "0");
  return `${auditIdBefore(at)}${String(seqMax - seq).padStart(seqDigits, "0")}.${last}`;
}

/** What the ids of all records of this instant begin with; older records have greater ids. */
export function auditIdBefore(at: number): string {
  return `${String(timeMax - Math.max(0, Math.floor(at))).padStart(timeDigits, "0")}.`;
}
