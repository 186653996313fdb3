/** What a run has found: each kind of fault once, with the case that showed it first. */
import type { Case } from "./steps.ts";

export interface Finding {
  readonly rule: string;
  readonly message: string;
  /** The case's number in the run, if it was one of them. */
  readonly number?: number;
  /** As small as it could be made. */
  case?: Case;
  /** How often it came up. */
  times: number;
}

export class FindingList {
  readonly #byKey = new Map<string, Finding>();

  get all(): readonly Finding[] {
    return [...this.#byKey.values()];
  }

  isNew(found: Pick<Finding, "rule" | "message">): boolean {
    return !this.#byKey.has(keyOf(found));
  }

  /** The one that is kept: the first of its kind. */
  add(found: Omit<Finding, "times">): Finding {
    const key = keyOf(found);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.times += 1;
      return known;
    }
    const finding = { ...found, times: 1 };
    this.#byKey.set(key, finding);
    return finding;
  }
}

/** Numbers and names differ from one time to the next; the sentence around them does not. */
function keyOf({ rule, message }: Pick<Finding, "rule" | "message">): string {
  const skeleton = message
    .replace(/\?\S*/g, "?")
    .replace(/\/v1\/(\w+)\/[^/\s]+/g, "/v1/$1/…")
    .replace(/\d+/g, "0");
  return `${rule}: ${skeleton.slice(0, 120)}`;
}
