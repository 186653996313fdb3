/** Requests for proof that this master still leads. Only an entry that was begun after the request can prove it. */
import type { Inbox } from "./inbox.ts";

interface Waiter {
  resolve(seq: number): void;
  reject(error: Error): void;
}

export class ReadBarrier {
  readonly #inbox: Inbox;
  #waiting: Waiter[] = [];
  /** Waiters that the entry in flight will answer. */
  #inFlight: Waiter[] = [];

  constructor(inbox: Inbox) {
    this.#inbox = inbox;
  }

  /**
   * Makes the leader commit, if only an empty entry. Resolves with the seq of that entry: up to there this master knows
   * everything that was committed before the call. Rejects with what `rejectAll` is given.
   */
  prove(): Promise<number> {
    const proof = new Promise<number>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
    this.#inbox.interrupt();
    return proof;
  }

  /** The same, where only the commit counts: its outcome shows in the journal. */
  check(): void {
    void this.prove().catch(() => undefined);
  }

  /** An entry is about to be made: once committed, it answers everybody who waits now. @returns true if anybody does */
  begin(): boolean {
    this.#inFlight.push(...this.#waiting.splice(0));
    return this.#inFlight.length > 0;
  }

  /** The entry of the last `begin` is committed. */
  settle(seq: number): void {
    for (const waiter of this.#inFlight.splice(0)) waiter.resolve(seq);
  }

  rejectAll(error: () => Error): void {
    for (const waiter of [...this.#inFlight.splice(0), ...this.#waiting.splice(0)]) waiter.reject(error());
  }
}
