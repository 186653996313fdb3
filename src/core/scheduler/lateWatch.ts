/** For one webhook: tasks that have a time to start and have yet to do so, in the order in which they become late. */
import type { TaskId } from "../../model/ids.ts";
import { Heap, type HeapItem } from "../heap.ts";
import type { LiveTask } from "./liveTask.ts";

interface Due extends HeapItem {
  readonly id: TaskId;
  readonly startAt: number;
  readonly lateAt: number;
}

/** Beyond this, what has started or ended is thrown out before its time. */
const looseMax = 1_000;

export class LateWatch {
  readonly #lateMs: number;
  #heap = emptyHeap();
  /** No task that becomes late up to here is looked at any more. */
  #until: number;
  #untilId: string;

  constructor(lateMs: number, until: number, untilId: string) {
    this.#lateMs = lateMs;
    this.#until = until;
    this.#untilId = untilId;
  }

  /** @param isNew false for a task that was there when its master began to lead: it may have been told of */
  add(task: LiveTask, isNew = true): void {
    const startAt = startOf(task);
    if (startAt === null || task.hasStarted) return;
    let lateAt = Math.max(startAt, task.createdAt) + this.#lateMs;
    if (isNew && lateAt <= this.#until) lateAt = this.#until + 1;
    if (lateAt < this.#until || (lateAt === this.#until && task.id <= this.#untilId)) return;
    this.#heap.push({ id: task.id, startAt, lateAt, heapIndex: -1 });
  }

  /** The next one that is late by now, by the wall clock; what has started or ended meanwhile is passed over. */
  popLate(
    now: number,
    find: (id: TaskId) => LiveTask | undefined,
  ): { readonly task: LiveTask; readonly startAt: number; readonly lateAt: number } | undefined {
    for (;;) {
      const first = this.#heap.peek();
      if (first === undefined || first.lateAt > now) return undefined;
      this.#heap.remove(first);
      const { id, startAt, lateAt } = first;
      this.#until = lateAt;
      this.#untilId = id;
      const task = find(id);
      if (task !== undefined && !task.hasStarted && startOf(task) === startAt) return { task, startAt, lateAt };
    }
  }

  /** Tasks that were cancelled long before their time must not pile up. */
  tidy(unfinished: number, find: (id: TaskId) => LiveTask | undefined): void {
    if (this.#heap.size <= 2 * unfinished + looseMax) return;
    const old = this.#heap;
    this.#heap = emptyHeap();
    for (const due of old) {
      const task = find(due.id);
      if (task === undefined || task.hasStarted) continue;
      this.#heap.push({ ...due, heapIndex: -1 });
    }
  }

  get nextAt(): number | null {
    return this.#heap.peek()?.lateAt ?? null;
  }
}

function emptyHeap(): Heap<Due> {
  return new Heap<Due>((a, b) => a.lateAt < b.lateAt || (a.lateAt === b.lateAt && a.id < b.id));
}

/** When it was to start: what it says itself, or for a task of a tick when it was made; null for one that may start whenever it can. */
function startOf({ startAt, createdAt, id, parent }: LiveTask): number | null {
  if (startAt !== null) return startAt;
  return parent === null && id.includes("@") ? createdAt : null;
}
