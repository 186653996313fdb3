/** The queues: which lanes each has, whether it is paused, and how many tasks of each state it holds. */
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import type { Lane } from "./lane.ts";

export class LiveQueue {
  readonly name: string;
  isPaused = false;
  readonly lanes = new Set<Lane>();
  /** Tasks by state, the final ones included while the store keeps them. */
  readonly counts: Partial<Record<TaskState, number>> = {};

  constructor(name: string) {
    this.name = name;
  }

  count(state: TaskState, by: number): void {
    this.counts[state] = (this.counts[state] ?? 0) + by;
  }

  /** True if nothing would be lost by dropping it: it holds no task and has no setting. */
  get isUnused(): boolean {
    return this.lanes.size === 0 && !this.isPaused && Object.values(this.counts).every((count) => count === 0);
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
