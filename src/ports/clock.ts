/** Time as the shells see it; the brains never see this, they are told `now`. */

export interface Clock {
  /**
   * Milliseconds since 1970 that never go back. It follows the monotonic clock and is drawn slowly towards the wall clock;
   * after a forward jump of the wall clock (a suspended laptop) it jumps too, and `onJump` listeners are told.
   */
  now(): number;
  /** Calls `run` once, not before `now() >= at`; long waits are re-armed inside. */
  at(at: number, run: () => void): Timer;
  /** Calls `listener` with the length of each jump or pause of the clock, in ms. Returns how to stop. */
  onJump(listener: (byMs: number) => void): () => void;
}

export interface Timer {
  cancel(): void;
}
