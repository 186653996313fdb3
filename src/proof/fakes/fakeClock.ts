/** Time that a test turns by hand. */
import type { Clock } from "../../ports/clock.ts";

export class FakeClock implements Clock {
  #now = 1_000_000;
  readonly timers = new Set<{ readonly at: number; readonly run: () => void; cancel(): void }>();

  now(): number {
    return this.#now;
  }

  /** Set by tests: how far the wall clock is behind. */
  lag = 0;

  lagMs(): number {
    return this.lag;
  }

  at(at: number, run: () => void) {
    const timer = { at, run, cancel: () => void this.timers.delete(timer) };
    this.timers.add(timer);
    return timer;
  }

  onJump(): () => void {
    return () => {};
  }

  /** It is `at` all of a sudden, as after a machine was asleep: what was due meanwhile happens now, each timer once. */
  async jump(at: number): Promise<void> {
    this.#now = at;
    const due = [...this.timers].filter((timer) => timer.at <= at).sort((a, b) => a.at - b.at);
    for (const timer of due) {
      if (!this.timers.delete(timer)) continue;
      timer.run();
      await rest();
    }
    await rest();
  }

  /** Lets time pass; between two timers everything that they began comes to rest. */
  async advance(ms: number): Promise<void> {
    const endAt = this.#now + ms;
    await rest();
    for (;;) {
      const due = [...this.timers].filter((timer) => timer.at <= endAt).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
      await rest();
    }
    this.#now = endAt;
  }
}

/** Everything that was begun and waits for nothing but its turn has had its turn. */
function rest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
