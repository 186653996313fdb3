/** A simulated process: what is meant for it reaches it while it lives and runs, later if it is paused, never once it is dead. */
import type { Timeline } from "./timeline.ts";

export interface OpenCall {
  readonly label: string;
  readonly since: number;
}

export class Process {
  readonly name: string;
  readonly #timeline: Timeline;
  #isAlive = true;
  #pausedAt: number | null = null;
  #backlog: (() => void)[] = [];
  #timers = 0;
  /** What others wait for at this process's hands: calls without an answer, streams without an end. */
  readonly openCalls = new Set<OpenCall>();
  openStreams = 0;
  readonly #resumeListeners = new Set<(pausedMs: number) => void>();
  readonly #deathListeners = new Set<() => void>();

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.#timeline = timeline;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#pausedAt !== null;
  }

  /** Lets something happen inside the process: now, or when it goes on, or not at all. */
  deliver(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#pausedAt === null) run();
    else this.#backlog.push(run);
  }

  /** Timers that have not gone off yet. */
  get timerCount(): number {
    return this.#timers;
  }

  /** Lets something happen inside the process `afterMs` from now. */
  after(afterMs: number, run: () => void): { cancel(): void } {
    this.#timers += 1;
    let isOver = false;
    const end = (): void => {
      if (!isOver) this.#timers -= 1;
      isOver = true;
    };
    const planned = this.#timeline.after(afterMs, () => {
      end();
      this.deliver(run);
    });
    return {
      cancel() {
        end();
        planned.cancel();
      },
    };
  }

  /** A promise for code inside the process; it stays open for ever if the process dies first. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** From here on nothing reaches it and nothing it awaits ever settles. */
  die(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#backlog = [];
    this.#resumeListeners.clear();
    for (const listener of [...this.#deathListeners]) listener();
    this.#deathListeners.clear();
  }

  /** Calls `listener` when the process dies, however it dies. Returns how to stop. */
  onDeath(listener: () => void): () => void {
    this.#deathListeners.add(listener);
    return () => this.#deathListeners.delete(listener);
  }

  pause(): void {
    if (this.#isAlive && this.#pausedAt === null) this.#pausedAt = this.#timeline.now;
  }

  /** Goes on; what came in meanwhile is handled first, piece by piece, as a woken process finds its sockets full. */
  resume(): void {
    if (!this.#isAlive || this.#pausedAt === null) return;
    const pausedMs = this.#timeline.now - this.#pausedAt;
    const backlog = this.#backlog;
    this.#pausedAt = null;
    this.#backlog = [];
    // Each piece is an event of its own, for each wakes its own promises; a pause or death in between still holds them up.
    for (const listener of [...this.#resumeListeners]) listener(pausedMs);
    for (const run of backlog) this.#timeline.after(0, () => this.deliver(run));
  }

  onResume(listener: (pausedMs: number) => void): void {
    this.#resumeListeners.add(listener);
  }
}
