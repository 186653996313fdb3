/** Brings one entry at a time into the journal, and finds out which of its three ends a commit has come to. */
import type { OutgoingEntry } from "../../model/entry.ts";
import { defaults } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";

/**
 * committed  it is in the journal, for good
 * deposed    another's entry has this slot: somebody else leads, and nothing of this entry may ever be seen
 * stopped    this master is stopping and has given up finding out
 */
export type CommitEnd = "committed" | "deposed" | "stopped";

export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  #isStopped = false;
  #wake: (() => void) | null = null;
  /** Why the entry in flight cannot be committed at the moment; null if all is well. */
  trouble: string | null = null;

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Appends, and where the outcome is unknown appends the same bytes in the same slot until it is known.
   * A slot is never given other content: what is unknown may still land.
   */
  async commit(entry: OutgoingEntry): Promise<CommitEnd> {
    for (let tries = 1; !this.#isStopped; tries += 1) {
      try {
        const end = (await this.#store.append(entry)) === "committed" ? "committed" : await this.#whoseSlot(entry);
        if (end !== "retry") {
          this.#recover(tries);
          return end;
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#suffer(error, entry.seq);
      }
      await this.#pause(tries);
    }
    return "stopped";
  }

  /** Gives up on the entry in flight: the next leader will find out what became of it. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** The slot is taken: by ourselves on an earlier try, or by another leader? Only the entry itself can tell. */
  async #whoseSlot(entry: OutgoingEntry): Promise<CommitEnd | "retry"> {
    const [found] = await this.#store.readEntries(entry.seq, 1);
    // Not to be seen (yet, or any more): the one that refused us may have been rolled back, so the slot is asked for again.
    if (found === undefined) return "retry";
    // Compacted away, so others have led for long since.
    if (found.seq !== entry.seq) return "deposed";
    return found.nonce === entry.nonce && found.crc === entry.crc ? "committed" : "deposed";
  }

  #suffer(error: StoreUnavailable, seq: number): void {
    if (this.trouble === null) {
      this.#log.error("the store does not commit; nothing is acknowledged and nobody is given up until it does", {
        seq,
        reason: error.reason,
        error,
      });
    }
    this.trouble = `${error.reason}: ${error.message}`;
  }

  #recover(tries: number): void {
    if (this.trouble === null) return;
    this.#log.info("the store commits again", { tries });
    this.trouble = null;
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
