/** Makes guessing of passwords and tokens slow: after failures, an address or a name must wait, longer each time. */
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";

interface Failures {
  count: number;
  lastAt: number;
}

export interface DelayRules {
  /** Failures in a row that cost nothing. */
  readonly freeFailures: number;
  readonly delayMsMax: number;
  /** What there were too many of. */
  readonly what: string;
}

/** A typing error costs nothing. */
const signInRules = { freeFailures: 1, delayMsMax: limits.signInDelayMsMax, what: "failed sign-ins" };

/** A bounded memory; names that do not exist are remembered like those that do, so that delays tell nothing. */
export class SignInDelays {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;
  readonly #rules: DelayRules;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now(), rules: DelayRules = signInRules) {
    this.#now = now;
    this.#rules = rules;
  }

  /** @throws OutlastError `too-many` while the key has to wait */
  check(key: string): void {
    const known = this.#failures.get(key);
    if (known === undefined) return;
    const waitMs = known.lastAt + delayMs(known.count, this.#rules) - this.#now();
    if (waitMs <= 0) return;
    throw new OutlastError("too-many", `Too many ${this.#rules.what}.`, {
      retryAfterMs: Math.ceil(waitMs),
      hint: `Try again in ${Math.ceil(waitMs / 1000)} s.`,
    });
  }

  noteFailure(key: string): void {
    const known = this.#failures.get(key);
    const isOld = known === undefined || this.#now() - known.lastAt > defaults.signInCalmMs;
    this.#failures.delete(key);
    this.#failures.set(key, { count: isOld ? 1 : known.count + 1, lastAt: this.#now() });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > limits.signInFailuresMax && oldest !== undefined) this.#failures.delete(oldest);
  }

  noteSuccess(key: string): void {
    this.#failures.delete(key);
  }
}

function delayMs(count: number, { freeFailures, delayMsMax }: DelayRules): number {
  const more = count - freeFailures - 1;
  return more < 0 ? 0 : Math.min(delayMsMax, defaults.signInDelayMs * 2 ** Math.min(more, 16));
}
