/** The highest epoch a worker has seen: a leader of the past is not obeyed, and that holds across restarts of the worker. */
import type { Incarnation } from "../../model/ids.ts";
import type { AgentOutput } from "./effects.ts";

export class EpochGuard {
  #max: number;
  #incarnation: Incarnation | null;
  #savedMax: number;
  #savedIncarnation: Incarnation | null;

  constructor(epochMax: number, incarnation: Incarnation | null) {
    this.#max = epochMax;
    this.#incarnation = incarnation;
    this.#savedMax = epochMax;
    this.#savedIncarnation = incarnation;
  }

  get max(): number {
    return this.#max;
  }

  get incarnation(): Incarnation | null {
    return this.#incarnation;
  }

  /**
   * `old`: not to be obeyed. `known`: may be obeyed. `raised`: may be obeyed once it has been saved; that is asked for here.
   * Another incarnation is another store, with epochs of its own.
   */
  check(incarnation: Incarnation, epoch: number, out: AgentOutput): "old" | "known" | "raised" {
    if (incarnation !== this.#incarnation) {
      if (this.#incarnation !== null) {
        const fields = { before: this.#incarnation, now: incarnation };
        out.effects.push({
          kind: "notice",
          level: "warn",
          message: "the masters work on another store than before",
          fields,
        });
      }
      this.#incarnation = incarnation;
      this.#max = epoch;
    } else if (epoch < this.#max) {
      return "old";
    }
    this.#max = epoch;
    if (this.isSaved) return "known";
    out.effects.push({ kind: "save-epoch", incarnation, epoch });
    return "raised";
  }

  /** A master of the known store has shown a higher epoch. */
  raise(epoch: number, out: AgentOutput): void {
    if (this.#incarnation === null || epoch <= this.#max) return;
    this.#max = epoch;
    out.effects.push({ kind: "save-epoch", incarnation: this.#incarnation, epoch });
  }

  saved(incarnation: Incarnation, epoch: number): void {
    this.#savedIncarnation = incarnation;
    this.#savedMax = epoch;
  }

  /** True if what is known is on disk. */
  get isSaved(): boolean {
    return this.#savedMax === this.#max && this.#savedIncarnation === this.#incarnation;
  }
}
