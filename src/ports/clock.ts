/** Time as the shells see it; the state machines never see this, they are told `now`. */

export interface Clock {
  /**
   * How much time has passed: milliseconds since 1970 that never go back. All durations are counted by it. It is drawn slowly
   * towards the wall clock. A wall clock that is set far forward is followed only once it has stood there for a while, and time
   * in which the machine was suspended at once; then `onJump` listeners are told.
   */
  now(): number;
  /**
   * What time it is: the wall clock shows `now() - lagMs()`, unless it was set forward a moment ago. Above 0 after the wall clock
   * was set back. Whatever is to happen at an instant is due by this, not by `now()` alone.
   */
  lagMs(): number;
  /** Calls `run` once, not before `now() >= at`; long waits are re-armed inside. */
  at(at: number, run: () => void): Timer;
  /** Calls `listener` with the length of each jump or pause of the clock, in ms. Returns how to stop. */
  onJump(listener: (byMs: number) => void): () => void;
}

/** The instant that the wall clock shows, as far as it is trusted; see `lagMs`. */
export function wallTime(clock: Pick<Clock, "now" | "lagMs">): number {
  return clock.now() - clock.lagMs();
}

export interface Timer {
  cancel(): void;
}
