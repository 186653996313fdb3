/** Makes guessing of passwords slow: after failures, an address and a name must wait, longer each time. */
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";

interface Failures {
  count: number;
  lastAt: number;
}

/** A bounded memory; names that do not exist are remembered like those that do, so that delays tell nothing. */
export class SignInDelays {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @throws OutlastError `too-many` while the key has to wait */
  check(key: string): void {
    const known = this.#failures.get(key);
    if (known === undefined) return;
    const waitMs = known.lastAt + delayMs(known.count) - this.#now();
    if (waitMs <= 0) return;
    throw new OutlastError("too-many", "Too many failed sign-ins.", {
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

/** A typing error costs nothing. */
function delayMs(count: number): number {
  if (count < 2) return 0;
  return Math.min(limits.signInDelayMsMax, defaults.signInDelayMs * 2 ** Math.min(count - 2, 16));
}
