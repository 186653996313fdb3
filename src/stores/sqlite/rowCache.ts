/** Where the rows of unfinished tasks stand, remembered so that a change of one need not look for it first. */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isFinal, type TaskState } from "../../model/task.ts";

/** Changed in place: if an entry is not written after all, every row is forgotten. */
export interface TaskRow {
  readonly ord: number;
  state: TaskState;
  queue: string;
}

export class RowCache {
  readonly #rows = new Map<TaskId, TaskRow>();
  /** The entry that the rows are as of; null while an entry is being written, and after one that was not. */
  #seq: number | null = null;

  /** An entry is to be written into a file that stands at `seq`. If others brought it there, nothing here can be believed. */
  begin(seq: number): void {
    if (seq !== this.#seq) this.#rows.clear();
    this.#seq = null;
  }

  /** What was put since `begin` is in the file. */
  commit(seq: number): void {
    this.#seq = seq;
  }

  get(id: TaskId): TaskRow | undefined {
    return this.#rows.get(id);
  }

  /** A late comer is left out rather than an early one: the early ones are next in line. A finished task changes no more. */
  put(id: TaskId, row: TaskRow): void {
    if (isFinal(row.state)) this.#rows.delete(id);
    else if (this.#rows.size < limits.storeCachedRowsMax || this.#rows.has(id)) this.#rows.set(id, row);
  }

  drop(id: TaskId): void {
    this.#rows.delete(id);
  }
}
