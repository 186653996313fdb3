/** The clock of one process in the simulator: its machine's offset and drift over true time, and the pauses it lived through. */
import { defaults } from "../../model/limits.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** 2023-11-14T22:13:20Z, so that instants look like instants in traces. */
export const worldBeganAt = 1_700_000_000_000;

/** How wrong a machine's clock is. It outlives the machine's processes. */
export interface ClockFault {
  /** What a machine's clock shows too much, in ms. It only grows, by jumps. */
  offsetMs: number;
  /** 0.0005 gains half a millisecond each second. */
  readonly drift: number;
}

/** Shorter pauses look like a busy moment and are not told to anyone, as with the real clock. */
export const noticedPauseMsMin = defaults.clockBeatMs + defaults.clockStallMs;

export class SimulatedClock implements Clock {
  readonly #timeline: Timeline;
  readonly #process: Process;
  readonly #fault: ClockFault;
  readonly #listeners = new Set<(byMs: number) => void>();
  /** Time the process could not see, not told yet. */
  #unreportedMs = 0;

  constructor(timeline: Timeline, process: Process, fault: ClockFault, random: Random) {
    this.#timeline = timeline;
    this.#process = process;
    this.#fault = fault;
    process.onResume((pausedMs) => {
      if (pausedMs < noticedPauseMsMin) return;
      // The real clock measures from its last beat before the pause, so it may tell a little more.
      this.#unreportedMs += pausedMs + random.integer(0, defaults.clockBeatMs);
      this.#tellSoon(random.integer(0, defaults.clockBeatMs));
    });
  }

  now(): number {
    // Whoever asks for the time must not decide by it before it is known why it moved so far.
    this.#tell();
    return this.#read();
  }

  at(at: number, run: () => void): Timer {
    let planned: { cancel(): void } | null = null;
    let isCancelled = false;
    const arm = (): void => {
      const trueMs = Math.ceil((at - this.#read()) / (1 + this.#fault.drift));
      planned = this.#process.after(trueMs, () => {
        if (isCancelled) return;
        if (this.now() >= at) run();
        else arm();
      });
    };
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

  /** The machine's clock has been set forward by `byMs`; call after the fault's offset was raised. */
  jumped(byMs: number): void {
    this.#unreportedMs += byMs;
    this.#tellSoon(0);
  }

  #read(): number {
    return Math.floor(worldBeganAt + this.#fault.offsetMs + this.#timeline.now * (1 + this.#fault.drift));
  }

  #tellSoon(afterMs: number): void {
    this.#process.after(afterMs, () => this.#tell());
  }

  #tell(): void {
    const byMs = this.#unreportedMs;
    if (byMs === 0) return;
    this.#unreportedMs = 0;
    for (const listener of [...this.#listeners]) listener(byMs);
  }
}
