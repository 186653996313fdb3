/** Hands every committed change to whoever listens, in order and once, beginning wherever in the journal they ask. */
import { OutlastError } from "../../model/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import { EntryCache } from "../journal/entryCache.ts";
import type { ChangeBatch } from "../journal/journal.ts";

type Listener = (batch: ChangeBatch) => unknown;

export interface Subscription {
  close(): void;
}

interface Subscriber {
  readonly listener: Listener;
  readonly onGap: () => void;
}

export class Changes {
  readonly #entryCache: EntryCache;
  readonly #log: Log;
  readonly #subscribers = new Set<Subscriber>();
  #seq = 0;
  #isStarted = false;

  constructor(store: Store, log: Log) {
    this.#entryCache = new EntryCache(store);
    this.#log = log;
  }

  /** The last committed entry that has been published here, or was there before. */
  get seq(): number {
    return this.#seq;
  }

  /** The journal has been read up to here. What lies between this and the last entry that was published is never told. */
  startAt(seq: number): void {
    const isGap = this.#isStarted && seq > this.#seq;
    this.#seq = Math.max(this.#seq, seq);
    this.#isStarted = true;
    if (isGap) this.#tellAll(({ onGap }) => onGap());
  }

  /** An entry that was published already, read once more after the memory was dropped, is passed over. */
  publish(batch: ChangeBatch): void {
    if (batch.seq <= this.#seq) return;
    if (this.#isStarted) this.startAt(batch.seq - 1);
    this.#seq = batch.seq;
    // Only the past waits for a listener; the present is told as it happens.
    this.#tellAll(({ listener }) => listener(batch));
  }

  #tellAll(tell: (subscriber: Subscriber) => unknown): void {
    for (const subscriber of [...this.#subscribers]) {
      try {
        tell(subscriber);
      } catch (error) {
        this.#subscribers.delete(subscriber);
        this.#log.error("a listener for changes failed and was dropped", { error });
      }
    }
  }

  /**
   * @param onGap entries were passed over and will not be told: this master has dropped its memory and read it anew
   * @throws OutlastError `not-found` if the journal no longer reaches back to `afterSeq`, `unavailable` before `startAt`: nobody
   * could tell what such a listener has missed when the journal turns out to be longer
   */
  async subscribe(afterSeq: number | null, listener: Listener, onGap: () => void = () => {}): Promise<Subscription> {
    if (!this.#isStarted) throw new OutlastError("unavailable", "This master is still reading its journal.");
    let seq = afterSeq ?? this.#seq;
    // Entries that are committed while the past is told belong to the past of the next round, so nothing is kept waiting here.
    for (; seq < this.#seq; seq += 1) {
      const batch = await this.#entryCache.at(seq + 1);
      if (batch === null) throw compactedAway(seq);
      await listener(batch);
    }
    const subscriber = { listener, onGap };
    this.#subscribers.add(subscriber);
    return { close: () => this.#subscribers.delete(subscriber) };
  }
}

function compactedAway(seq: number): OutlastError {
  return new OutlastError("not-found", `The journal no longer holds what came after ${seq}.`, {
    hint: "Read the current state and follow from there.",
  });
}
