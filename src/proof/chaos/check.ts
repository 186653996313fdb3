/** A check: one promise, how many cases of it a run brought, and what was wrong. */
import { type Checker, problemsOf } from "../checkers/checker.ts";
import type { History } from "../checkers/ledger.ts";

export interface Check {
  /** As in docs/reliability.md: `I7`; empty for what is only about the run itself. */
  readonly invariant: string;
  /** The promise, in words for people. */
  readonly promise: string;
  /** How many cases it looked at: a promise that was never put to the test proves nothing. */
  readonly cases: number;
  /** What was seen, in a few words. */
  readonly seen: string;
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
}

export function holds(check: Check): boolean {
  return check.problems.length === 0;
}

export function check(
  invariant: string,
  promise: string,
  cases: number,
  seen: string,
  problems: readonly string[],
): Check {
  return { invariant, promise, cases, seen, problems };
}

/** A promise that the simulator's checkers judge, too: one of them, or several that belong together. */
export function byChecker(
  checkers: Checker | readonly [Checker, ...Checker[]],
  promise: string,
  history: History,
  cases: number,
  seen: string,
): Check {
  const all: readonly Checker[] = "check" in checkers ? [checkers] : checkers;
  return check(all[0]?.invariant ?? "", promise, cases, seen, problemsOf(all, history));
}

/** `1 task`, `2 tasks`, `12 345 tasks`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(number)} ${number === 1 ? noun : plural}`;
}

/** Thin gaps between the thousands. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, " ");
}
