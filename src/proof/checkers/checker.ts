/** What a checker is: a question about a whole history, asked by someone who knows nothing of the code that made it. */
import type { History } from "./ledger.ts";

export interface Violation {
  /** As in docs/reliability.md: `I7`. */
  readonly invariant: string;
  /** A sentence that names what was seen and what should have been. */
  readonly message: string;
  /** Tasks, attempts and workers that the story of this violation is about. */
  readonly subjects: readonly string[];
}

export interface Checker {
  readonly invariant: string;
  readonly title: string;
  /** Returns every violation that it finds; none means that the history is right as far as this checker can see. */
  check(history: History): readonly Violation[];
}

/** Makes a checker's violations carry its invariant. */
export function checker(invariant: string, title: string, find: (history: History, report: Report) => void): Checker {
  return {
    invariant,
    title,
    check(history) {
      const violations: Violation[] = [];
      find(history, (message, ...subjects) => violations.push({ invariant, message, subjects }));
      return violations;
    },
  };
}

export type Report = (message: string, ...subjects: string[]) => void;

/** What these checkers find, as sentences. */
export function problemsOf(checkers: readonly Checker[], history: History): string[] {
  return checkers.flatMap((each) =>
    each.check(history).map(({ message }) => `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`),
  );
}
