/** Remembers which attempts a worker is done with, so that a late or repeated assignment never starts one again. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

/**
 * Holds the highest attempt of each task that was seen here. It keeps what it is told for at least `limits.tombstoneMsMin`,
 * unless more than half of `limits.tombstonesMax` tasks come in that time. Two generations, the older of which goes as a
 * whole: dropping single entries from the front of a large Map would cost a scan over the holes.
 */
export class Tombstones {
  #young = new Map<TaskId, number>();
  #old = new Map<TaskId, number>();
  #youngSince = 0;

  note(task: TaskId, attempt: number, now: number): void {
    if (this.#young.size >= limits.tombstonesMax / 2 || now - this.#youngSince >= limits.tombstoneMsMin) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSince = now;
    }
    this.#young.set(task, Math.max(attempt, this.#seen(task)));
  }

  /** True if this attempt, or a later one of its task, has been noted. */
  covers(task: TaskId, attempt: number): boolean {
    return attempt <= this.#seen(task);
  }

  #seen(task: TaskId): number {
    return this.#young.get(task) ?? this.#old.get(task) ?? 0;
  }
}
