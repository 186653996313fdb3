/**
 * How long a leader may act as one. Once its lease has stood still for its time, another master takes over; so a leader from which
 * nothing has reached the store for nearly that long asks the store whether it still leads, and while it gets no answer it lets
 * its workers go. They find whoever leads by then, before that one counts their silence against them.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Inbox } from "../journal/inbox.ts";
import type { Streams } from "../streams/streams.ts";

export interface LeaseGuardParts {
  readonly clock: Clock;
  /** Without a sign from the store for this long, it is asked. */
  readonly doubtMs: number;
  /** Without one for this long, another master may lead. */
  readonly leaseTtlMs: () => number;
  /** Finds out by a commit who leads; `hold` is called if that works. */
  readonly prove: () => void;
  readonly inbox: Inbox;
  readonly streams: Streams;
}

export class LeaseGuard {
  readonly #parts: LeaseGuardParts;
  #heldAt: number;
  #doubtedAt: number | null = null;

  constructor(parts: LeaseGuardParts) {
    this.#parts = parts;
    this.#heldAt = parts.clock.now();
  }

  /** The store has taken an entry of this leader, or its lease. */
  hold(): void {
    this.#heldAt = this.#parts.clock.now();
    this.#doubtedAt = null;
  }

  /** Looks how it stands; to be called several times within the lease. */
  check(): void {
    const { clock, doubtMs, leaseTtlMs, prove } = this.#parts;
    const now = clock.now();
    if (now - this.#heldAt <= doubtMs) return;
    if (this.#doubtedAt === null) {
      // A process that was paused finds itself here with a store that answers at once.
      this.#doubtedAt = now;
      prove();
    } else if (now - this.#doubtedAt >= leaseTtlMs() - doubtMs) {
      this.#letGo();
    }
  }

  /** Whether they come back to this leader or to another one: nobody's absence counts until they have had the time for it. */
  #letGo(): void {
    this.#parts.inbox.push({ kind: "let-go" });
    this.#parts.streams.hangUp();
  }
}
