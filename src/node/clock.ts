/** The real clock: passed time by the monotonic clock, the wall clock's steps, and the time in which this process could not run. */
import { uptime } from "node:os";
import { defaults } from "../model/limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { type HeapTimer, TimerHeap } from "./timerHeap.ts";
import { WallTracker } from "./wallTracker.ts";

/**
 * One per process; `WallTracker` has the rules for the wall clock. It beats every `defaults.clockBeatMs`; a timer that is due before the next beat gets a `setTimeout` of its
 * own, all others wait in a heap. So none is ever armed for so long that `setTimeout` overflows (24.8 days) or that a
 * correction of the clock makes it late.
 *
 * Listeners of `onJump` are called from within the first `now()`, or the first timer, after the pause: before anyone can
 * decide by the new time.
 */
export class SystemClock implements Clock {
  readonly #timers = new TimerHeap();
  readonly #listeners = new Set<(byMs: number) => void>();
  readonly #beat: NodeJS.Timeout;
  #readAt = performance.now();
  readonly #tracker = new WallTracker(
    { monotonicMs: this.#readAt, wallAt: Date.now() },
    { jumpMs: defaults.clockJumpMs, slewMax: defaults.clockSlewMax, settleMs: defaults.clockSettleMs },
  );
  /** The machine's uptime, which counts suspended time, less the monotonic clock, which does not. */
  #suspendedMs = uptime() * 1000 - this.#readAt;
  #beatAt = this.#readAt;
  #armed: NodeJS.Timeout | null = null;
  #count = 0;

  constructor() {
    this.#beat = setInterval(() => this.#onBeat(), defaults.clockBeatMs);
    this.#beat.unref();
  }

  now(): number {
    const readAt = performance.now();
    const elapsedMs = readAt - this.#readAt;
    const wallAt = Date.now();
    const aheadMs = wallAt - (this.#tracker.now + elapsedMs);
    this.#readAt = readAt;
    const suspendedMs = aheadMs > defaults.clockJumpMs ? this.#takeSuspension(readAt) : 0;
    const gapMs = readAt - this.#beatAt;
    const wasBlind = gapMs > defaults.clockBeatMs + defaults.clockStallMs;
    if (wasBlind) this.#tracker.noteBlindness();
    let pausedMs = this.#tracker.read({ monotonicMs: readAt, wallAt }, suspendedMs);
    if (wasBlind) {
      this.#beatAt = readAt;
      // All by which `now` has moved meanwhile: what it was drawn towards the wall clock is nobody's silence either.
      pausedMs += gapMs + this.#tracker.slewedMs;
    }
    if (pausedMs > 0) this.#tellPause(pausedMs);
    return Math.floor(this.#tracker.now);
  }

  lagMs(): number {
    this.now();
    return Math.ceil(this.#tracker.lagMs);
  }

  at(at: number, run: () => void): Timer {
    const timer: HeapTimer = { at, order: this.#count++, run, index: -1 };
    this.#timers.add(timer);
    if (this.#timers.size === 1) this.#beat.ref();
    if (timer.index === 0) this.#arm();
    return { cancel: () => this.#remove(timer) };
  }

  onJump(listener: (byMs: number) => void): () => void {
    // Wrapped, so that the same function may listen twice and each be stopped alone.
    const own = (byMs: number) => listener(byMs);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** How long the machine was suspended since this was last asked; less than a minute is a difference of the clocks. */
  #takeSuspension(readAt: number): number {
    const suspendedMs = uptime() * 1000 - readAt;
    const sinceMs = suspendedMs - this.#suspendedMs;
    if (sinceMs < defaults.clockJumpMs) return 0;
    this.#suspendedMs = suspendedMs;
    return sinceMs;
  }

  #onBeat(): void {
    this.now();
    this.#beatAt = this.#readAt;
    this.#arm();
  }

  /** Sees to it that the first timer runs in time, if that is before the next beat. */
  #arm(): void {
    const at = this.#timers.first()?.at ?? Number.POSITIVE_INFINITY;
    if (this.#armed !== null) clearTimeout(this.#armed);
    this.#armed = null;
    const waitMs = at - this.now();
    if (waitMs > 2 * defaults.clockBeatMs) return;
    this.#armed = setTimeout(() => this.#runDue(), Math.max(1, waitMs));
  }

  #runDue(): void {
    this.#armed = null;
    const now = this.now();
    // What these timers add for this very instant waits for the next turn, so that no loop of theirs starves the process.
    const countMax = this.#count;
    try {
      for (;;) {
        const timer = this.#timers.first();
        if (timer === undefined || timer.at > now || timer.order >= countMax) break;
        this.#remove(timer);
        timer.run();
      }
    } finally {
      this.#arm();
    }
  }

  #remove(timer: HeapTimer): void {
    this.#timers.remove(timer);
    if (this.#timers.size === 0) this.#beat.unref();
  }

  #tellPause(byMs: number): void {
    for (const listener of this.#listeners) listener(Math.round(byMs));
  }
}
