/**
 * Limits how long a leader acts without proof that it still leads. When a lease has not changed for its whole time, another
 * master takes over. So a leader whose last successful write is nearly that old asks the store whether it still leads, and
 * closes its workers' sessions if no answer comes in time. The workers then find the new leader before it counts them as silent.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Inbox } from "../journal/inbox.ts";
import type { ReadBarrier } from "../journal/readBarrier.ts";
import type { Streams } from "../streams/streams.ts";

export interface LeaseGuardParts {
  readonly clock: Clock;
  /** After this long without a successful write, the store is asked. */
  readonly doubtMs: number;
  /** Of a lease, before the first one is written. */
  readonly leaseTtlMs: number;
  readonly readBarrier: ReadBarrier;
  readonly inbox: Inbox;
  readonly streams: Streams;
}

export class LeaseGuard {
  readonly #parts: LeaseGuardParts;
  #isLeading = false;
  #heldAt = 0;
  #doubtedAt: number | null = null;
  #ttlMs: number;

  constructor(parts: LeaseGuardParts) {
    this.#parts = parts;
    this.#ttlMs = parts.leaseTtlMs;
  }

  /** How long this master's lease may stay unchanged before another master takes over, in ms, as far as others can know. */
  get ttlMs(): number {
    return this.#ttlMs;
  }

  /** This master leads from now on. */
  begin(): void {
    this.#isLeading = true;
    this.hold();
  }

  end(): void {
    this.#isLeading = false;
  }

  /** The store has accepted an entry of this leader, or its lease. */
  hold(): void {
    this.#heldAt = this.#parts.clock.now();
    this.#doubtedAt = null;
  }

  /** A lease with this time to live is about to be written. Others may see a shorter one even if its outcome is unknown. */
  noteWrite(ttlMs: number): void {
    this.#ttlMs = Math.min(this.#ttlMs, ttlMs);
  }

  /** A lease with this time to live has been written. */
  noteWritten(ttlMs: number): void {
    this.#ttlMs = ttlMs;
    this.hold();
  }

  /** A lease of a higher epoch was found: a commit will show who leads. */
  noteRival(): void {
    if (this.#isLeading) this.#parts.readBarrier.check();
  }

  /** Must be called several times within the time of a lease. */
  check(): void {
    if (!this.#isLeading) return;
    const { clock, doubtMs, readBarrier } = this.#parts;
    const now = clock.now();
    if (now - this.#heldAt <= doubtMs) return;
    if (this.#doubtedAt === null) {
      // A process that was paused gets here too, with a store that answers at once.
      this.#doubtedAt = now;
      readBarrier.check();
    } else if (now - this.#doubtedAt >= this.#ttlMs - doubtMs) {
      this.#letGo();
    }
  }

  /** Workers may come back to this leader or go to another one. Their absence does not count until they have had time for it. */
  #letGo(): void {
    this.#parts.inbox.push({ kind: "let-go" });
    this.#parts.streams.hangUp();
  }
}
