/**
 * Remembers tasks that became final lately, so that a client's id or key is known even while the store was asked too early.
 *
 * A submit that names its ids comes with what the store knew of them at some seq. A task may have been created and finished
 * since then; such a task is here, unless that seq lies before the horizon, and then the store must be asked again.
 */
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { FinalState } from "../../model/task.ts";

interface Ending {
  readonly id: TaskId;
  readonly fingerprint: string | null;
  readonly state: FinalState;
  readonly queue: string;
  readonly seq: number;
}

export class RecentlyFinished {
  readonly #byId = new Map<TaskId, Ending>();
  /** The same in the order in which they came, in a ring: a Map is slow at giving up its oldest entry. */
  readonly #ring: Ending[] = [];
  #oldest = 0;
  /** What became final at or before this seq may be missing here. */
  #horizonSeq = 0;

  /** Everything up to `seq` is known to the store only. */
  reset(seq: number): void {
    this.#byId.clear();
    this.#ring.length = 0;
    this.#oldest = 0;
    this.#horizonSeq = seq;
  }

  add(ending: Ending): void {
    this.#byId.set(ending.id, ending);
    if (this.#ring.length < limits.settledMax) {
      this.#ring.push(ending);
      return;
    }
    const oldest = this.#ring[this.#oldest];
    this.#ring[this.#oldest] = ending;
    this.#oldest = (this.#oldest + 1) % limits.settledMax;
    if (oldest === undefined) return;
    this.#horizonSeq = oldest.seq;
    if (this.#byId.get(oldest.id) === oldest) this.#byId.delete(oldest.id);
  }

  /** True if a look at the store at `seq`, together with what is here, sees every final task. */
  covers(seq: number): boolean {
    return seq >= this.#horizonSeq;
  }

  /** What the task was created from; undefined if it is not here. */
  fingerprint(id: TaskId): string | null | undefined {
    return this.#byId.get(id)?.fingerprint;
  }

  /** How the task has ended; undefined if it is not here. */
  state(id: TaskId): FinalState | undefined {
    return this.#byId.get(id)?.state;
  }

  /** The queue that it was in; undefined if it is not here. */
  queue(id: TaskId): string | undefined {
    return this.#byId.get(id)?.queue;
  }

  /** Of the entry in which it has ended; undefined if it is not here. */
  seqOf(id: TaskId): number | undefined {
    return this.#byId.get(id)?.seq;
  }

  forget(id: TaskId): void {
    this.#byId.delete(id);
  }
}
