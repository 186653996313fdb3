/**
 * What the journal says and the rows of tasks do not say yet. A task that is created, started and ended within a moment becomes
 * one row written once, instead of one row written three times.
 */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { withoutTask } from "../changes.ts";
import { type PackedEntry, type TaskRecords, unpack } from "./packedEntry.ts";

/** Where a task's row stands, and under what it is counted. */
export interface TaskRow {
  readonly ord: number;
  readonly state: string;
  readonly queue: string;
}

/** All that became of a task since its row was written. */
export interface PendingTask extends TaskRecords {
  /** Null for a task that has none yet, and for one whose row has not been looked for. */
  readonly row: TaskRow | null;
  /** The first entry that its row does not know, and when that was. */
  readonly firstSeq: number;
  readonly firstAt: number;
  /** The last entry that changed it. */
  readonly seq: number;
}

export class Pending {
  /** Those that have waited longest first. */
  readonly #tasks = new Map<TaskId, PendingTask>();
  readonly #look: (id: TaskId) => TaskRow | undefined;
  #textLength = 0;

  constructor(look: (id: TaskId) => TaskRow | undefined) {
    this.#look = look;
  }

  get(id: TaskId): PendingTask | undefined {
    return this.#tasks.get(id);
  }

  /** The rows know all of the entries before this one; null if they know of all entries. */
  get firstSeq(): number | null {
    for (const { firstSeq } of this.#tasks.values()) return firstSeq;
    return null;
  }

  /** @throws Error where a status has no spec to follow, or a spec no status: nothing of such an entry may be stored */
  add(packed: PackedEntry): void {
    const { seq, at } = packed.entry;
    for (const { id, spec, status } of unpack(packed)) {
      const before = this.#tasks.get(id);
      if (before !== undefined) {
        const after = { ...before, spec: spec ?? before.spec, status: status ?? before.status, seq };
        this.#textLength += textLength(after) - textLength(before);
        this.#tasks.set(id, after);
        continue;
      }
      const isWhole = spec !== null && status !== null;
      const row = isWhole ? null : this.#look(id);
      if (row === undefined) throw withoutTask(packed.entry, id, spec === null ? "spec" : "status");
      const task = { id, spec, status, row, firstSeq: seq, firstAt: at, seq };
      this.#textLength += textLength(task);
      this.#tasks.set(id, task);
    }
  }

  /** Takes out those that have waited long enough, and as many more as there are too many; always whole entries of them. */
  takeDue(now: number): PendingTask[] {
    const due: PendingTask[] = [];
    let seq = 0;
    for (const task of this.#tasks.values()) {
      const isLate = now - task.firstAt >= limits.storeRowsLateMsMax;
      if (!isLate && !this.#isOverfull && task.firstSeq !== seq) break;
      seq = task.firstSeq;
      due.push(task);
      this.#remove(task);
    }
    return due;
  }

  takeAll(): PendingTask[] {
    const all = [...this.#tasks.values()];
    this.clear();
    return all;
  }

  /** Somebody else has brought the rows up to `seq`. What has changed since then stays, but nothing is known of its row. */
  dropUpTo(seq: number): void {
    for (const task of this.#tasks.values()) {
      if (task.seq <= seq) this.#remove(task);
      else this.#tasks.set(task.id, { ...task, firstSeq: Math.max(task.firstSeq, seq + 1), row: null });
    }
  }

  clear(): void {
    this.#tasks.clear();
    this.#textLength = 0;
  }

  get #isOverfull(): boolean {
    return this.#tasks.size > limits.storePendingTasksMax || this.#textLength > limits.storePendingTextMax;
  }

  #remove(task: PendingTask): void {
    this.#tasks.delete(task.id);
    this.#textLength -= textLength(task);
  }
}

function textLength({ spec, status }: TaskRecords): number {
  return (spec?.text.length ?? 0) + (status?.text.length ?? 0);
}
