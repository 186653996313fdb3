/** The real clock: monotonic, slewed towards the wall clock, and aware of pauses of this process. */
import { defaults } from "../model/limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { type HeapTimer, TimerHeap } from "./timerHeap.ts";

/**
 * One per process. It beats every `defaults.clockBeatMs`; a timer that is due before the next beat gets a `setTimeout` of its
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
  /** This clock, unrounded, at monotonic time `#readAt`. */
  #time = Date.now();
  #readAt = performance.now();
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
    const aheadMs = Date.now() - (this.#time + elapsedMs);
    this.#readAt = readAt;
    let pausedMs = 0;
    if (aheadMs > defaults.clockJumpMs) {
      this.#time += elapsedMs + aheadMs;
      pausedMs += aheadMs;
    } else {
      const slewMs = elapsedMs * defaults.clockSlewMax;
      this.#time += elapsedMs + Math.max(-slewMs, Math.min(slewMs, aheadMs));
    }
    const gapMs = readAt - this.#beatAt;
    if (gapMs > defaults.clockBeatMs + defaults.clockStallMs) {
      this.#beatAt = readAt;
      pausedMs += gapMs;
    }
    if (pausedMs > 0) this.#tellPause(pausedMs);
    return Math.floor(this.#time);
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
