/** The instants at which unfinished tasks are over time. */
import type { TaskHead } from "../../model/task.ts";
import { Heap, type HeapItem } from "../heap.ts";

/** One bound of one task. */
interface Bound<Task> extends HeapItem {
  readonly task: Task;
  readonly at: number;
  readonly code: "expired" | "deadline";
}

export class Bounds<Task extends object> {
  readonly #heap = new Heap<Bound<Task>>((a, b) => a.at < b.at);
  /** Of the few tasks that have some. */
  readonly #byTask = new Map<Task, readonly Bound<Task>[]>();

  /** @param retriedAt when the task was last retried: its deadline counts from then on, and whoever retried it wants it to start. */
  add(
    task: Task,
    { createdAt, expiresAt, deadlineMs }: Pick<TaskHead, "createdAt" | "expiresAt" | "deadlineMs">,
    retriedAt: number | undefined,
  ): void {
    const bounds: Bound<Task>[] = [];
    if (expiresAt !== undefined && retriedAt === undefined)
      bounds.push({ task, at: expiresAt, code: "expired", heapIndex: -1 });
    if (deadlineMs !== undefined)
      bounds.push({ task, at: (retriedAt ?? createdAt) + deadlineMs, code: "deadline", heapIndex: -1 });
    if (bounds.length === 0) return;
    for (const bound of bounds) this.#heap.push(bound);
    this.#byTask.set(task, bounds);
  }

  remove(task: Task): void {
    const bounds = this.#byTask.get(task);
    if (bounds === undefined) return;
    for (const bound of bounds) if (bound.heapIndex !== -1) this.#heap.remove(bound);
    this.#byTask.delete(task);
  }

  /** The next one that is due by the wall clock, taken out. */
  popDue(now: number): Pick<Bound<Task>, "task" | "code"> | undefined {
    const first = this.#heap.peek();
    if (first === undefined || first.at > now) return undefined;
    this.#heap.remove(first);
    return first;
  }

  get nextAt(): number | null {
    return this.#heap.peek()?.at ?? null;
  }
}
