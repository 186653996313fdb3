/** The queues: who waits in each, in what order, and how many tasks of each state it has. */
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import type { QueueRecord } from "../../model/worker.ts";
import { Heap } from "../heap.ts";
import { type LiveTask, startsBefore } from "./liveTask.ts";
import type { RecordModule } from "./records.ts";

export class LiveQueue {
  readonly name: string;
  isPaused = false;
  /** True if the journal holds a record of its settings. */
  hasRecord = false;
  readonly ready = new Heap<LiveTask>(startsBefore);
  readonly counts: Partial<Record<TaskState, number>> = {};

  constructor(name: string) {
    this.name = name;
  }

  count(state: TaskState, by: number): void {
    this.counts[state] = (this.counts[state] ?? 0) + by;
  }
}

export class Queues implements RecordModule<QueueRecord> {
  readonly #byName = new Map<string, LiveQueue>();
  /** Those with tasks that could start now. */
  readonly #waiting = new Set<LiveQueue>();

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

  /** True if these names would make more queues than there may be. */
  wouldOverflow(names: Iterable<string>): boolean {
    const fresh = new Set<string>();
    for (const name of names) if (!this.#byName.has(name)) fresh.add(name);
    return this.#byName.size + fresh.size > limits.queuesMax;
  }

  /** The task takes its place in line. */
  enqueue(task: LiveTask): void {
    task.queue.ready.push(task);
    if (!task.queue.isPaused) this.#waiting.add(task.queue);
  }

  dequeue(task: LiveTask): void {
    task.queue.ready.remove(task);
    if (task.queue.ready.size === 0) this.#waiting.delete(task.queue);
  }

  setPaused(queue: LiveQueue, isPaused: boolean): void {
    queue.isPaused = isPaused;
    if (isPaused || queue.ready.size === 0) this.#waiting.delete(queue);
    else this.#waiting.add(queue);
  }

  /** Takes the settings that the journal has; without a record they are the default ones. */
  put(name: string, record: QueueRecord | null): void {
    const queue = this.open(name);
    queue.hasRecord = record !== null;
    this.setPaused(queue, record?.isPaused ?? false);
  }

  recordOf(name: string): QueueRecord | null {
    const queue = this.#byName.get(name);
    return queue?.hasRecord === true ? { name, isPaused: queue.isPaused } : null;
  }

  /** Queues that are not paused and have a task that could start now. */
  get waiting(): ReadonlySet<LiveQueue> {
    return this.#waiting;
  }

  [Symbol.iterator](): Iterator<LiveQueue> {
    return this.#byName.values();
  }
}
