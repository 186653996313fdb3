/** How far running attempts say that they are: kept by the leader in memory, for people, and gone when the attempt is over. */
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Progress, TaskDocument } from "../../model/task.ts";

export interface ProgressChange {
  readonly id: TaskId;
  readonly attempt: number;
  readonly progress: Progress;
}

export class ProgressBoard {
  readonly #latest = new Map<TaskId, ProgressChange>();
  readonly #listeners = new Set<(change: ProgressChange) => void>();

  note(id: TaskId, attempt: number, progress: Progress): void {
    const change = { id, attempt, progress };
    this.#latest.delete(id);
    this.#latest.set(id, change);
    // What was said longest ago goes first: it may be left over from a task whose end came with the same commit.
    for (const oldest of this.#latest.keys()) {
      if (this.#latest.size <= limits.progressTasksMax) break;
      this.#latest.delete(oldest);
    }
    for (const listener of this.#listeners) listener(change);
  }

  /** A task that does not run any more has no progress. */
  committed(writes: readonly Write[]): void {
    if (this.#latest.size === 0) return;
    for (const write of writes) {
      if (write.kind !== "status") continue;
      const { id, state, attempt } = write.status;
      if (state !== "running" || this.#latest.get(id)?.attempt !== attempt) this.#latest.delete(id);
    }
  }

  /** This master does not lead any more: the next leader is told. */
  clear(): void {
    this.#latest.clear();
  }

  addTo(document: TaskDocument): TaskDocument {
    const known = this.#latest.get(document.id);
    if (known?.attempt !== document.attempt || document.state !== "running") return document;
    return { ...document, progress: known.progress };
  }

  /** @returns how to stop listening */
  listen(listener: (change: ProgressChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
