/**
 * Remembers tasks that were forgotten lately. Whoever wants a finished task gone has found it in the store, which may have been asked
 * before it was forgotten: forgotten twice, it would be counted twice.
 */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";

interface Forgotten {
  /** When it was forgotten. */
  readonly seq: number;
  /** A new task has its id now. */
  isBack: boolean;
}

export class RecentlyForgotten {
  /** The oldest first. */
  readonly #byId = new Map<TaskId, Forgotten>();
  /** What was forgotten at or before this seq may be missing here. */
  #horizonSeq = 0;

  /** Everything up to `seq` is known to the store only. */
  reset(seq: number): void {
    this.#byId.clear();
    this.#horizonSeq = seq;
  }

  add(id: TaskId, seq: number): void {
    this.#byId.delete(id);
    this.#byId.set(id, { seq, isBack: false });
    if (this.#byId.size <= limits.settledMax) return;
    const [oldest] = this.#byId;
    if (oldest === undefined) return;
    this.#byId.delete(oldest[0]);
    this.#horizonSeq = oldest[1].seq;
  }

  /** A task is created: perhaps under an id that is free again. */
  noteNew(id: TaskId): void {
    const known = this.#byId.get(id);
    if (known !== undefined) known.isBack = true;
  }

  /** True if a look at the store at `seq`, together with what is here, tells of every task whether it is still there. */
  covers(seq: number): boolean {
    return seq >= this.#horizonSeq;
  }

  /** True if the task was forgotten after the store was asked at `seq`. */
  isAfter(id: TaskId, seq: number): boolean {
    return (this.#byId.get(id)?.seq ?? 0) > seq;
  }

  /** True if the task was forgotten, and no other one has its id since. */
  isGone(id: TaskId): boolean {
    return this.#byId.get(id)?.isBack === false;
  }
}
