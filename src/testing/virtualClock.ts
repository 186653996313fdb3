/** Time that passes only when it is told to. */
import type { Clock, Timer } from "../ports/clock.ts";

interface Planned {
  readonly at: number;
  readonly run: () => void;
}

/** 2024-01-01T00:00:00Z: every run of a test begins at the same instant. */
const beganAt = 1_704_067_200_000;

export class VirtualClock implements Clock {
  #now = beganAt;
  readonly #timers = new Set<Planned>();
  readonly #listeners = new Set<(byMs: number) => void>();

  now(): number {
    return this.#now;
  }

  lagMs(): number {
    return 0;
  }

  at(at: number, run: () => void): Timer {
    const timer = { at, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  onJump(listener: (byMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** When the next timer is due; null if there is none. */
  get nextAt(): number | null {
    let next: number | null = null;
    for (const { at } of this.#timers) if (next === null || at < next) next = at;
    return next;
  }

  /** Moves on to `at` and runs the timers that are due by then, the earliest first. */
  moveTo(at: number): void {
    this.#now = Math.max(this.#now, at);
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= this.#now).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) return;
      this.#timers.delete(due);
      due.run();
    }
  }

  /** Moves on at one stroke, as if all machines had been suspended: nobody was silent meanwhile, and what is due is due now. */
  jump(byMs: number): void {
    this.#now += byMs;
    for (const listener of [...this.#listeners]) listener(byMs);
    this.moveTo(this.#now);
  }
}

/** Lets everything go on that waits for nothing but its turn. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
