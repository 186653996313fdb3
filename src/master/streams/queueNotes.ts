/** Which queue a task belongs to that has ended: for readers who may see some queues only. */
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

/** A bounded memory; what it has forgotten is read from the store again. */
export class QueueNotes {
  readonly #queues = new Map<TaskId, string>();
  /** How often something was forgotten: what was read of a task before that may be of an earlier task with its id. */
  #forgettings = 0;

  get(id: TaskId): string | undefined {
    return this.#queues.get(id);
  }

  /** Where what is read from now on is noted, unless something is forgotten meanwhile. */
  noteFrom(): (id: TaskId, queue: string) => void {
    const before = this.#forgettings;
    return (id, queue) => {
      if (before === this.#forgettings) this.set(id, queue);
    };
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
    for (const write of writes) {
      if (write.kind !== "forget-task") continue;
      this.#forgettings += 1;
      this.#queues.delete(write.id);
    }
  }

  clear(): void {
    this.#forgettings += 1;
    this.#queues.clear();
  }
}
