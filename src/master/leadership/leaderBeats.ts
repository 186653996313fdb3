/**
 * What a leader tells the masters that watch its process: each lease that the store has taken, and soon after a commit that there is
 * something to read. Standbys that are told need not keep asking the store. Nothing is told that is not in the store.
 */
import type { LeaderBeat, Lease } from "../../model/lease.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

export class LeaderBeats {
  readonly #clock: Clock;
  /** Commits are told at most so often. */
  readonly #everyMs: number;
  readonly #listeners = new Set<(beat: LeaderBeat) => void>();
  /** Null while this master does not lead. */
  #epoch: number | null = null;
  /** As the store has it; null before the first one. */
  #lease: Lease | null = null;
  #seq = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Calls `listener` with what is told from now on. Returns how to stop. */
  listen(listener: (beat: LeaderBeat) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** This master leads from now on; the entry with this seq is committed. */
  begin(epoch: number, seq: number): void {
    this.#epoch = epoch;
    this.#seq = seq;
  }

  /** The store has taken this lease: also, late, one of an epoch that is over. */
  noteLease(lease: Lease): void {
    if (lease.epoch !== this.#epoch) return;
    this.#lease = lease;
    this.#tell();
  }

  /** The entry with this seq is committed. */
  noteCommitted(seq: number): void {
    this.#seq = seq;
    if (this.#timer !== null || this.#lease === null || this.#listeners.size === 0) return;
    const at = this.#toldAt + this.#everyMs;
    if (at <= this.#clock.now()) this.#tell();
    else this.#timer = this.#clock.at(at, () => this.#tell());
  }

  /** This master was deposed. */
  end(): void {
    this.#epoch = null;
    this.#lease = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tell(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#lease === null) return;
    this.#toldAt = this.#clock.now();
    const { epoch, nonce, beat, isResigned, ttlMs } = this.#lease;
    for (const listener of [...this.#listeners]) listener({ epoch, nonce, beat, isResigned, ttlMs, seq: this.#seq });
  }
}
