/**
 * Remembers tasks that became final lately, so that a client's id or key is known even while the store was asked too early.
 *
 * A submit that names its ids comes with what the store knew of them at some seq. A task may have been created and finished
 * since then; such a task is here, unless that seq lies before the horizon, and then the store must be asked again.
 */
import type { TaskId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";

export class Settled {
  readonly #byId = new Map<TaskId, { readonly fingerprint: string | null; readonly seq: number }>();
  /** What became final at or before this seq may be missing here. */
  #horizonSeq = 0;

  /** Everything up to `seq` is known to the store only. */
  reset(seq: number): void {
    this.#byId.clear();
    this.#horizonSeq = seq;
  }

  add(id: TaskId, fingerprint: string | null, seq: number): void {
    this.#byId.set(id, { fingerprint, seq });
    if (this.#byId.size <= limits.settledMax) return;
    for (const [oldest, { seq: oldestSeq }] of this.#byId) {
      this.#byId.delete(oldest);
      this.#horizonSeq = oldestSeq;
      break;
    }
  }

  /** True if a look at the store at `seq`, together with what is here, sees every final task. */
  covers(seq: number): boolean {
    return seq >= this.#horizonSeq;
  }

  /** What the task was created from; undefined if it is not here. */
  fingerprint(id: TaskId): string | null | undefined {
    return this.#byId.get(id)?.fingerprint;
  }

  forget(id: TaskId): void {
    this.#byId.delete(id);
  }
}
