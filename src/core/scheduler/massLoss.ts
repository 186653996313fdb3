/**
 * Tells the death of workers from a failure of the network: when many streams close at once and nothing says why, nobody is
 * dead yet. A closing that is explained (the process is known to be dead, or has said goodbye) is no evidence against the
 * network. Each closing costs the same, however many there are.
 */
import type { WorkerId } from "../../model/ids.ts";

export interface MassLossBounds {
  readonly windowMs: number;
  /** Share of all workers that were connected. */
  readonly share: number;
  readonly min: number;
}

export class MassLoss {
  readonly #open = new Set<WorkerId>();
  /** Closings within the window that nothing explains, the oldest first, and when they were. */
  readonly #closedAt = new Map<WorkerId, number>();
  /** Those of them that have not been spared yet. */
  readonly #unspared = new Set<WorkerId>();

  noteOpening(worker: WorkerId): void {
    this.#open.add(worker);
  }

  /** The connection is over: the leader has ended it, or the worker opens another one. That alone is no closing. */
  noteDisconnected(worker: WorkerId): void {
    this.#open.delete(worker);
  }

  /** Why this worker's stream closed is known: it does not count. */
  explain(worker: WorkerId): void {
    this.#open.delete(worker);
    this.#closedAt.delete(worker);
    this.#unspared.delete(worker);
  }

  /**
   * A stream was lost and nothing says why: it has closed, or its worker attaches anew and this master has not seen it close.
   * @returns the workers to be spared: all that closed within the window and have not been returned before, if those closings
   * are too many to be the workers' own doing
   */
  noteClosing(worker: WorkerId, now: number, { windowMs, share, min }: MassLossBounds): readonly WorkerId[] {
    this.explain(worker);
    for (const [old, at] of this.#closedAt) {
      if (now - at <= windowMs) break;
      this.#closedAt.delete(old);
      this.#unspared.delete(old);
    }
    this.#closedAt.set(worker, now);
    this.#unspared.add(worker);
    const closed = this.#closedAt.size;
    if (closed < min || closed <= (this.#open.size + closed) * share) return [];
    const spared = [...this.#unspared];
    this.#unspared.clear();
    return spared;
  }
}
