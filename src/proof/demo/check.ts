/** What a check of a promise is, and what it finds. */

export interface Check {
  readonly id: CheckId;
  /** The promise, in words for people. */
  readonly promise: string;
  readonly holds: boolean;
  /** How many cases it looked at: a promise that was never put to the test proves nothing. */
  readonly cases: number;
  /** What was seen, in a few words. */
  readonly seen: string;
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
}

export type CheckId =
  | "carried-out"
  | "all-success"
  | "nothing-lost"
  | "one-commit"
  | "rerun-in-full"
  | "ended-meanwhile"
  | "master-death"
  | "takeover"
  | "one-leader"
  | "no-overlap"
  | "assigned-first"
  | "legal-life"
  | "no-other-death"
  | "store-apart"
  | "ticks-once"
  | "ticks-told"
  | "ticks-in-time"
  | "leaders-shot"
  | "job-output"
  | "job-reruns"
  | "job-committed"
  | "job-kills"
  | "family-result"
  | "children-once"
  | "steps-once"
  | "steps-resumed"
  | "family-reruns";

export function result(id: CheckId, promise: string, cases: number, seen: string, problems: readonly string[]): Check {
  return { id, promise, holds: problems.length === 0, cases, seen, problems };
}

/** Fails a check that had no case to look at: a run that tests nothing proves nothing. */
export function demandCase(check: Check): Check {
  if (check.cases > 0 || !check.holds) return check;
  const problem = `Not tested: "${check.promise}". Use more or longer tasks (--tasks, --max-sleep).`;
  return { ...check, holds: false, problems: [problem] };
}
