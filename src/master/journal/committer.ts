/** Appends one entry at a time to the journal, and finds out how the commit ended. */
import type { OutgoingEntry } from "../../model/entry.ts";
import { defaults } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";

/**
 * committed  the entry is in the journal for good
 * deposed    another master's entry has this slot: nothing of this entry may ever be seen
 * stopped    this master is stopping; the outcome is unknown
 */
export type CommitEnd = "committed" | "deposed" | "stopped";

export interface CommitterParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Where to note why the entry in flight cannot be committed; null once it is. */
  readonly health: { trouble: string | null };
}

export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #health: { trouble: string | null };
  #isTroubled = false;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor({ store, clock, log, health }: CommitterParts) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#health = health;
  }

  /**
   * Appends the entry. While the outcome is unknown, appends the same bytes in the same slot again.
   * A slot is never used for other content: an append with an unknown outcome may still succeed.
   */
  commit(entry: OutgoingEntry): Promise<CommitEnd> {
    return this.untilKnown(entry.seq, async () =>
      (await this.#store.append(entry)) === "committed" ? "committed" : this.#whoseSlot(entry),
    );
  }

  /** Tries again while the store cannot say what has become of a write; `seq` is for the log. */
  async untilKnown<End extends string>(seq: number, attempt: () => Promise<End | "retry">): Promise<End | "stopped"> {
    for (let tries = 1; !this.#isStopped; tries += 1) {
      try {
        const end = await attempt();
        if (end !== "retry") {
          this.#recover(tries);
          return end;
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#suffer(error, seq);
      }
      await this.#pause(tries);
    }
    return "stopped";
  }

  /** Stops trying to commit the entry in flight; the next leader finds out whether it is in the journal. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** The slot is taken, by our own earlier try or by another leader: the entry itself tells which. */
  async #whoseSlot(entry: OutgoingEntry): Promise<CommitEnd | "retry"> {
    const [found] = await this.#store.readEntries(entry.seq, 1);
    // Not readable, or rolled back meanwhile: try the slot again.
    if (found === undefined) return "retry";
    // Compacted away: others have led for a long time.
    if (found.seq !== entry.seq) return "deposed";
    return found.nonce === entry.nonce && found.crc === entry.crc ? "committed" : "deposed";
  }

  #suffer(error: StoreUnavailable, seq: number): void {
    if (!this.#isTroubled) {
      this.#log.error("the store does not commit; nothing is acknowledged and no worker is given up until it does", {
        seq,
        reason: error.reason,
        error,
      });
    }
    this.#isTroubled = true;
    this.#health.trouble = `${error.reason}: ${error.message}`;
  }

  #recover(tries: number): void {
    if (!this.#isTroubled) return;
    this.#log.info("the store commits again", { tries });
    this.#isTroubled = false;
    this.#health.trouble = null;
  }

  async #pause(tries: number): Promise<void> {
    const waitMs = Math.min(defaults.commitRetryMsMax, defaults.commitRetryMs * 2 ** Math.min(tries - 1, 10));
    await new Promise<void>((resolve) => {
      const timer = this.#clock.at(this.#clock.now() + waitMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
  }
}
