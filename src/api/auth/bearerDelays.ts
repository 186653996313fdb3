/** Makes guessing of tokens slow, without shutting out those who have a right one and share the address of whoever guesses. */
import { defaults, limits } from "../../model/limits.ts";
import { SignInDelays } from "./signInDelays.ts";

/**
 * Tokens and sessions that Outlast makes have 256 random bits, so they need no delay. The root token may be one that somebody has thought
 * of: while an address has to wait it is not taken from there, unless it is long enough and was shown from there a short time ago.
 */
export class BearerDelays {
  readonly #isLongEnough: boolean;
  readonly #now: () => number;
  readonly #delays: SignInDelays;
  readonly #rootShownAt = new Map<string, number>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(isLongEnough: boolean, now: () => number = () => performance.now()) {
    this.#isLongEnough = isLongEnough;
    this.#now = now;
    this.#delays = new SignInDelays(now, {
      freeFailures: defaults.bearerFailuresFree,
      delayMsMax: limits.bearerDelayMsMax,
      what: "wrong tokens from this address",
    });
  }

  /** The root token was right. @throws OutlastError `too-many` where it is not taken now */
  checkRoot(address: string): void {
    const shownAt = this.#rootShownAt.get(address) ?? Number.NEGATIVE_INFINITY;
    const isKnown = this.#isLongEnough && this.#now() - shownAt <= defaults.rootShownMs;
    if (!isKnown) this.#delays.check(address);
    this.#rootShownAt.delete(address);
    this.#rootShownAt.set(address, this.#now());
    const [oldest] = this.#rootShownAt.keys();
    if (this.#rootShownAt.size > limits.rootAddressesMax && oldest !== undefined) this.#rootShownAt.delete(oldest);
  }

  /** Counts it, unless the address has to wait anyway. @throws OutlastError `too-many` while it has to */
  noteWrong(address: string): void {
    this.#delays.check(address);
    this.#delays.noteFailure(address);
  }
}
