/** Remembers which attempts a worker is done with, so that a late or repeated assignment never starts one again. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { IssuedAttempt } from "../../model/protocol.ts";

/** The highest attempt of a task that was seen here, and when it was assigned; and before it those of earlier tasks with its id. */
interface Seen extends Pick<IssuedAttempt, "attempt" | "assignedAt"> {
  readonly earlier: Seen | undefined;
}

/**
 * Holds the highest attempt of each task that was seen here, and of each task before it that had its id. It keeps what it is told for
 * at least `limits.tombstoneMsMin`, unless more than half of `limits.tombstonesMax` tasks come in that time. Two generations, the
 * older of which goes as a whole: dropping single entries from the front of a large Map would cost a scan over the holes.
 */
export class Tombstones {
  #young = new Map<TaskId, Seen>();
  #old = new Map<TaskId, Seen>();
  #youngSince = 0;

  note({ task, attempt, assignedAt }: IssuedAttempt, now: number): void {
    if (this.#young.size >= limits.tombstonesMax / 2 || now - this.#youngSince >= limits.tombstoneMsMin) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSince = now;
    }
    const seen = this.#seen(task);
    const covers = isCovered(seen, attempt, assignedAt);
    this.#young.set(task, covers ? seen : { attempt, assignedAt, earlier: uncovered(seen, attempt, assignedAt) });
  }

  /** True if this attempt, or a later one of its task, has been noted. A new task may have the id of one that is forgotten. */
  covers({ task, attempt, assignedAt }: IssuedAttempt): boolean {
    return isCovered(this.#seen(task), attempt, assignedAt);
  }

  #seen(task: TaskId): Seen | undefined {
    return this.#young.get(task) ?? this.#old.get(task);
  }
}

/** What was assigned later than a higher attempt belongs to a later task. */
function isCovered(seen: Seen | undefined, attempt: number, assignedAt: number): seen is Seen {
  if (seen === undefined) return false;
  return (attempt <= seen.attempt && assignedAt <= seen.assignedAt) || isCovered(seen.earlier, attempt, assignedAt);
}

/** What of it this attempt does not cover: late messages to earlier tasks of this id are known by it. */
function uncovered(seen: Seen | undefined, attempt: number, assignedAt: number): Seen | undefined {
  if (seen === undefined) return undefined;
  const earlier = uncovered(seen.earlier, attempt, assignedAt);
  return seen.attempt <= attempt && seen.assignedAt <= assignedAt ? earlier : { ...seen, earlier };
}
