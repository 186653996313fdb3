/** How a worker leaves: it finishes what runs, has every result settled and all output sent, says goodbye, and ends; in bounded time. */

interface DrainState {
  readonly isAttached: boolean;
  /** Nothing runs, and every result is on disk. */
  readonly isIdle: boolean;
  /** Results without a verdict. */
  readonly unsettled: number;
}

export class Drain {
  readonly #byeWaitMs: number;
  /** Whether output of attempts still waits to be sent. */
  isLogPending = false;
  #deadlineAt: number | null = null;
  #isForced = false;
  /** Until then the goodbye is waited for; null while there is something else to wait for. */
  #byeUntil: number | null = null;

  constructor(byeWaitMs: number) {
    this.#byeWaitMs = byeWaitMs;
  }

  get isOn(): boolean {
    return this.#deadlineAt !== null;
  }

  /** A second drain can only make it shorter. */
  start(now: number, timeoutMs: number): void {
    const deadlineAt = now + timeoutMs;
    this.#deadlineAt = this.#deadlineAt === null ? deadlineAt : Math.min(this.#deadlineAt, deadlineAt);
  }

  shift(byMs: number): void {
    if (this.#deadlineAt !== null) this.#deadlineAt += byMs;
    if (this.#byeUntil !== null) this.#byeUntil += byMs;
  }

  /** True once: what still runs must be ended now. */
  isTimeUp(now: number): boolean {
    if (this.#isForced || this.#deadlineAt === null || now < this.#deadlineAt) return false;
    this.#isForced = true;
    return true;
  }

  advance(now: number, state: DrainState): "wait" | "say-bye" | "finish" {
    if (this.#byeUntil !== null) return !state.isAttached || now >= this.#byeUntil ? "finish" : "wait";
    if (!state.isIdle) return "wait";
    // Results that could not be delivered are on disk: the next boot delivers them.
    const isDone = this.#isForced || (state.unsettled === 0 && !this.isLogPending);
    if (!isDone) return "wait";
    if (!state.isAttached) return "finish";
    this.#byeUntil = now + this.#byeWaitMs;
    return "say-bye";
  }

  get nextWakeAt(): number | null {
    return this.#byeUntil ?? (this.#isForced ? null : this.#deadlineAt);
  }
}
