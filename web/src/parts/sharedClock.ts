/** One clock for all that is on the screen: it ticks while something shows it, and is right whenever it is read. */

const tickMs = 1_000;

export class SharedClock {
  #now = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => {
      this.#now = Date.now();
      for (const each of this.#listeners) each();
    }, tickMs);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  };

  /** The time, at most a second old, also where nothing was shown for long or the browser did not tick. */
  readonly now = (): number => {
    const now = Date.now();
    // A clock that was set back counts as well.
    if (Math.abs(now - this.#now) >= tickMs) this.#now = now;
    return this.#now;
  };
}
