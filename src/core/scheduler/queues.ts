/** The queues: whether each it is paused, and how many tasks of each state it holds. */
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import type { QueueRate } from "../../model/worker.ts";

export class LiveQueue {
  readonly name: string;
  isPaused = false;
  /** So many of its tasks run at a time; null for no bound. */
  concurrencyMax: number | null = null;
  rate: QueueRate | null = null;
  /** Of a queue with a rate: its last starts, as instants and counts, none older than `rate.perMs`. */
  starts: (readonly [at: number, count: number])[] = [];
  /** Attempts that are over for the leader while their processes may still be ending, as far as they are counted. */
  dying = 0;
  /** What its lanes were told last. */
  wasOpen = true;
  /** Lanes of its unfinished tasks. */
  laneCount = 0;
  /** Tasks by state, the final ones included while the store keeps them. */
  readonly counts: Partial<Record<TaskState, number>> = {};

  constructor(name: string) {
    this.name = name;
  }

  count(state: TaskState, by: number): void {
    this.counts[state] = (this.counts[state] ?? 0) + by;
  }

  /** True if one of its tasks may be started now. */
  get isOpen(): boolean {
    return !this.isPaused && this.hasRoom && !this.isRateUsedUp;
  }

  get isLimited(): boolean {
    return this.concurrencyMax !== null || this.rate !== null;
  }

  get hasRoom(): boolean {
    return this.concurrencyMax === null || (this.counts.running ?? 0) + this.dying < this.concurrencyMax;
  }

  get isRateUsedUp(): boolean {
    if (this.rate === null) return false;
    return this.starts.reduce((sum, [, count]) => sum + count, 0) >= this.rate.count;
  }

  /** True if nothing would be lost by dropping it: it holds no task and has no setting. */
  get isUnused(): boolean {
    if (this.isPaused || this.isLimited || this.dying > 0 || this.starts.length > 0) return false;
    return this.laneCount === 0 && Object.values(this.counts).every((count) => count === 0);
  }
}

export class Queues {
  readonly #byName = new Map<string, LiveQueue>();

  get(name: string): LiveQueue | undefined {
    return this.#byName.get(name);
  }

  /** Finds a queue, or makes it: queues need no declaration. */
  open(name: string): LiveQueue {
    let queue = this.#byName.get(name);
    if (queue === undefined) {
      queue = new LiveQueue(name);
      this.#byName.set(name, queue);
    }
    return queue;
  }

  /** Frees the name of a queue that holds nothing. Must be called where its last task, lane or setting may have gone. */
  dropIfUnused(queue: LiveQueue): void {
    if (queue.isUnused) this.#byName.delete(queue.name);
  }

  /** True if these names would make more queues than there may be. */
  wouldOverflow(names: Iterable<string>): boolean {
    const fresh = new Set<string>();
    for (const name of names) if (!this.#byName.has(name)) fresh.add(name);
    return this.#byName.size + fresh.size > limits.queuesMax;
  }

  [Symbol.iterator](): Iterator<LiveQueue> {
    return this.#byName.values();
  }
}
