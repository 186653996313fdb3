/** Which queue a task belongs to that has ended: for readers who may see some queues only. */
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

/** A bounded memory; what it has forgotten is read from the store again. */
export class QueueNotes {
  readonly #queues = new Map<TaskId, string>();

  get(id: TaskId): string | undefined {
    return this.#queues.get(id);
  }

  set(id: TaskId, queue: string): void {
    this.#queues.delete(id);
    this.#queues.set(id, queue);
    if (this.#queues.size <= limits.queueNotesMax) return;
    const [oldest] = this.#queues.keys();
    if (oldest !== undefined) this.#queues.delete(oldest);
  }

  /** A later task may have the id of one that is forgotten, and another queue. */
  noteAll(writes: readonly Write[]): void {
    if (this.#queues.size === 0) return;
    for (const write of writes) if (write.kind === "forget-task") this.#queues.delete(write.id);
  }

  clear(): void {
    this.#queues.clear();
  }
}
