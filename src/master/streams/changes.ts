/** Sends every committed change to subscribers, in order and once, from any position in the journal. */
import type { CollectionName } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import type { CollectionGaps } from "../journal/collectionGaps.ts";
import { EntryCache } from "../journal/entryCache.ts";
import type { ChangeBatch } from "../journal/journal.ts";
import { QueueNotes } from "./queueNotes.ts";

type Listener = (batch: ChangeBatch) => unknown;

const principalCollections: ReadonlySet<string> = new Set<CollectionName>(["users", "tokens", "sessions"]);

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
  readonly queueNotes = new QueueNotes();
  readonly #principalListeners = new Set<() => void>();
  #seq = 0;
  #isStarted = false;

  constructor(store: Store, log: Log, gaps: CollectionGaps) {
    this.#entryCache = new EntryCache(store, gaps);
    this.#log = log;
  }

  /** The last committed entry that was published or read. */
  get seq(): number {
    return this.#seq;
  }

  /** The journal has been read up to `seq`. Entries between the last published one and this are skipped. */
  startAt(seq: number): void {
    const isGap = this.#isStarted && seq > this.#seq;
    this.#seq = Math.max(this.#seq, seq);
    this.#isStarted = true;
    if (!isGap) return;
    this.queueNotes.clear();
    this.#tellAll(({ onGap }) => onGap());
    for (const listener of this.#principalListeners) listener();
  }

  /** Calls `listener` whenever users, tokens or sessions may have changed. Returns how to stop. */
  onPrincipals(listener: () => void): () => void {
    this.#principalListeners.add(listener);
    return () => this.#principalListeners.delete(listener);
  }

  /** An entry that was published before is ignored. */
  publish(batch: ChangeBatch): void {
    if (batch.seq <= this.#seq) return;
    if (this.#isStarted) this.startAt(batch.seq - 1);
    this.#seq = batch.seq;
    this.queueNotes.noteAll(batch.writes);
    // The returned promise counts only while old entries are replayed.
    this.#tellAll(({ listener }) => listener(batch));
    const isOfPrincipals = (write: Write): boolean =>
      write.kind === "record" && principalCollections.has(write.collection);
    if (batch.writes.some(isOfPrincipals)) for (const listener of this.#principalListeners) listener();
  }

  #tellAll(tell: (subscriber: Subscriber) => unknown): void {
    for (const subscriber of [...this.#subscribers]) {
      try {
        tell(subscriber);
      } catch (error) {
        this.#subscribers.delete(subscriber);
        this.#log.error("a subscriber to changes failed and was removed", { error });
      }
    }
  }

  /**
   * @param onGap called when entries were skipped, because this master has read its memory again
   * @throws OutlastError `not-found` if the journal no longer has the entry after `afterSeq`; `unavailable` before the first `startAt`
   */
  async subscribe(afterSeq: number | null, listener: Listener, onGap: () => void = () => {}): Promise<Subscription> {
    if (!this.#isStarted) throw new OutlastError("unavailable", "This master is still reading its journal.");
    let seq = afterSeq ?? this.#seq;
    // Entries that are committed during the replay are replayed in the next round.
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
  return new OutlastError("not-found", `Journal entries after ${seq} are no longer kept.`, {
    hint: "Read the current state and follow the events from there.",
  });
}
