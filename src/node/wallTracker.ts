/**
 * Answers two questions from two clocks: how much time has passed, and what time it is. Kept free of timers and of the system,
 * so that the simulator runs the same rules.
 *
 * `now` counts passed time, in ms since 1970. It never goes back, and is drawn slowly towards the wall clock. A wall clock that
 * is set forward by more than `jumpMs` is followed only once it has stood there for `settleMs`: what starts or expires at an
 * instant does not do so on a jump that is taken back. A wall clock that is set back is followed at once by `lagMs`: by that much
 * `now` is ahead of it.
 */
export interface WallReadings {
  /** The monotonic clock, in ms. */
  readonly monotonicMs: number;
  /** The wall clock, in ms since 1970. */
  readonly wallAt: number;
}

export interface WallSettings {
  /** The wall clock is drawn near where it differs by less. */
  readonly jumpMs: number;
  /** Share of the passed time by which `now` may run fast or slow to meet the wall clock. */
  readonly slewMax: number;
  readonly settleMs: number;
}

export class WallTracker {
  readonly #settings: WallSettings;
  #time: number;
  #monotonicMs: number;
  #slewedMs = 0;
  /** A jump that has not stood for long enough, and the least that it has been. */
  #pending: { readonly sinceMs: number; aheadMs: number } | null = null;
  /** How far the wall clock is behind, as it shows; below 0 where it is ahead. */
  #shownLagMs = 0;
  /** What it was before the wall clock was last set forward, while that has not stood for long enough; null until the next reading says when it will have. */
  #keptLag: { readonly untilMs: number | null; readonly lagMs: number } | null = null;

  constructor({ monotonicMs, wallAt }: WallReadings, settings: WallSettings) {
    this.#settings = settings;
    this.#time = wallAt;
    this.#monotonicMs = monotonicMs;
  }

  /** Passed time as of the last reading, unrounded. */
  get now(): number {
    return this.#time;
  }

  /** By how much the last reading has drawn `now` towards the wall clock, beyond the time that had passed; below 0 where it was ahead. */
  get slewedMs(): number {
    return this.#slewedMs;
  }

  /** How far the wall clock is to be taken to be behind `now`, in ms; 0 where it is not. */
  get lagMs(): number {
    return Math.max(0, this.#shownLagMs, this.#keptLag?.lagMs ?? 0);
  }

  /**
   * Takes both clocks in.
   * @param suspendedMs time that has passed since the last reading without the monotonic clock running
   * @returns by how much `now` has jumped
   */
  read({ monotonicMs, wallAt }: WallReadings, suspendedMs = 0): number {
    const elapsedMs = monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
    this.#time += elapsedMs + suspendedMs;
    const jumpedMs = suspendedMs + this.#meet(wallAt - this.#time, elapsedMs);
    this.#noteLag(this.#time - wallAt);
    return jumpedMs;
  }

  /** Nobody has looked at the clocks for a while. A jump may have been taken back meanwhile and another one made: it has to stand anew. */
  noteBlindness(): void {
    this.#pending = null;
    if (this.#keptLag !== null) this.#keptLag = { ...this.#keptLag, untilMs: null };
  }

  #noteLag(lagMs: number): void {
    const { jumpMs, settleMs } = this.#settings;
    if (this.#keptLag !== null) {
      const { untilMs, lagMs: keptMs } = this.#keptLag;
      if (untilMs === null) this.#keptLag = { untilMs: this.#monotonicMs + settleMs, lagMs: keptMs };
      else if (untilMs <= this.#monotonicMs) this.#keptLag = null;
    }
    if (this.#shownLagMs - lagMs > jumpMs) this.#keptLag = { untilMs: this.#monotonicMs + settleMs, lagMs: this.lagMs };
    this.#shownLagMs = lagMs;
  }

  #meet(aheadMs: number, elapsedMs: number): number {
    const { jumpMs, slewMax, settleMs } = this.#settings;
    this.#slewedMs = 0;
    if (aheadMs <= jumpMs) {
      this.#pending = null;
      const slewMs = elapsedMs * slewMax;
      this.#slewedMs = Math.max(-slewMs, Math.min(slewMs, aheadMs));
      this.#time += this.#slewedMs;
      return 0;
    }
    this.#pending ??= { sinceMs: this.#monotonicMs, aheadMs };
    this.#pending.aheadMs = Math.min(this.#pending.aheadMs, aheadMs);
    if (this.#monotonicMs - this.#pending.sinceMs < settleMs) return 0;
    const jumpedMs = this.#pending.aheadMs;
    this.#pending = null;
    this.#time += jumpedMs;
    return jumpedMs;
  }
}
