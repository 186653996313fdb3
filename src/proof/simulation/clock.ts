/** The clock of one process in the simulator: its machine's offset and drift over true time, steps, and pauses. */
import { defaults } from "../../model/limits.ts";
import { type WallReadings, WallTracker } from "../../node/wallTracker.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** 2023-11-14T22:13:20Z, so that instants look like instants in traces. */
export const worldBeganAt = 1_700_000_000_000;

/** How wrong a machine's clock is. It outlives the machine's processes. */
export interface ClockFault {
  /** By how much the machine's wall clock is ahead, in ms. Steps change it in both directions. */
  offsetMs: number;
  /** 0.0005 gains half a millisecond each second; the monotonic clock drifts alike. */
  readonly drift: number;
}

/** Shorter pauses look like a busy moment and are not told to anyone, as with the real clock. */
export const noticedPauseMsMin = defaults.clockBeatMs + defaults.clockStallMs;

export class SimulatedClock implements Clock {
  readonly #timeline: Timeline;
  readonly #process: Process;
  readonly #fault: ClockFault;
  readonly #settleMs: number;
  readonly #tracker: WallTracker;
  readonly #listeners = new Set<(byMs: number) => void>();
  /** Time the process could not see, not told yet. */
  #unreportedMs = 0;
  /** It goes on after a pause, and has not read the time since. */
  #isResumed = false;

  constructor(timeline: Timeline, process: Process, fault: ClockFault, random: Random, settleMs: number) {
    this.#timeline = timeline;
    this.#process = process;
    this.#fault = fault;
    this.#settleMs = settleMs;
    const { clockJumpMs: jumpMs, clockSlewMax: slewMax } = defaults;
    this.#tracker = new WallTracker(this.#readings(), { jumpMs, slewMax, settleMs });
    process.onResume((pausedMs) => {
      if (pausedMs < noticedPauseMsMin) return;
      // The real clock measures from its last beat before the pause, so it may tell a little more.
      this.#unreportedMs += pausedMs * (1 + this.#fault.drift) + random.integer(0, defaults.clockBeatMs);
      this.#isResumed = true;
      this.#tracker.noteBlindness();
      this.#tellSoon(random.integer(0, defaults.clockBeatMs));
    });
  }

  now(): number {
    // Whoever watches from outside may ask a paused process for its state. Nothing inside may learn of the time by that.
    if (this.#process.isPaused) return Math.floor(this.#tracker.now);
    this.#read();
    const now = Math.floor(this.#tracker.now);
    // Whoever asks for the time must not decide by it before it is known why it moved so far.
    this.#tell();
    return now;
  }

  lagMs(): number {
    this.now();
    return Math.ceil(this.#tracker.lagMs);
  }

  at(at: number, run: () => void): Timer {
    let planned: { cancel(): void } | null = null;
    let isCancelled = false;
    const arm = (): void => {
      const trueMs = Math.max(1, Math.ceil((at - this.#tracker.now) / (1 + this.#fault.drift)));
      planned = this.#process.after(trueMs, () => {
        if (isCancelled) return;
        if (this.now() >= at) run();
        else arm();
      });
    };
    this.#read();
    arm();
    return {
      cancel() {
        isCancelled = true;
        planned?.cancel();
      },
    };
  }

  onJump(listener: (byMs: number) => void): () => void {
    const own = (byMs: number): void => listener(byMs);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** The machine's wall clock was set; call after the fault's offset was changed. */
  stepped(): void {
    this.#process.after(0, () => this.now());
    // The real clock beats, and so notices that a step has stood for long enough.
    this.#process.after(this.#settleMs + defaults.clockBeatMs, () => this.now());
  }

  #read(): void {
    this.#unreportedMs += this.#tracker.read(this.#readings());
    if (this.#isResumed) this.#unreportedMs += this.#tracker.slewedMs;
    this.#isResumed = false;
  }

  #readings(): WallReadings {
    const monotonicMs = this.#timeline.now * (1 + this.#fault.drift);
    return { monotonicMs, wallAt: worldBeganAt + this.#fault.offsetMs + monotonicMs };
  }

  #tellSoon(afterMs: number): void {
    this.#process.after(afterMs, () => this.#tell());
  }

  #tell(): void {
    const byMs = Math.round(this.#unreportedMs);
    if (byMs === 0) return;
    this.#unreportedMs = 0;
    for (const listener of [...this.#listeners]) listener(byMs);
  }
}
