/** A cache of journal entries, so that many subscribers who resume at about the same place read and decode each entry once. */
import { limits } from "../../model/limits.ts";
import type { Store } from "../../ports/store.ts";
import type { CollectionGaps } from "./collectionGaps.ts";
import { type ChangeBatch, decodeEntry } from "./journal.ts";

interface Known {
  readonly batch: ChangeBatch;
  /** Of the entry's text, in UTF-16 units. */
  readonly length: number;
}

export class EntryCache {
  readonly #store: Store;
  readonly #gaps: CollectionGaps;
  /** By seq, in the order in which they were read. */
  readonly #known = new Map<number, Known>();
  #length = 0;
  /** Resolves when the last requested read has ended: reads run one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, gaps: CollectionGaps) {
    this.#store = store;
    this.#gaps = gaps;
  }

  /** The batch with this seq; null if the journal has none, or no longer. */
  async at(seq: number): Promise<ChangeBatch | null> {
    const known = this.#known.get(seq);
    if (known !== undefined) return known.batch;
    const reading = this.#turn.then(() => this.#read(seq));
    this.#turn = reading.catch(() => {});
    return reading;
  }

  async #read(seq: number): Promise<ChangeBatch | null> {
    // An earlier read may have fetched it.
    const known = this.#known.get(seq);
    if (known !== undefined) return known.batch;
    let found: ChangeBatch | null = null;
    for (const entry of await this.#store.readEntries(seq, limits.entriesPerReadMax)) {
      const { epoch, at, body } = entry;
      const batch = { seq: entry.seq, epoch, at, writes: decodeEntry(entry, this.#gaps.missing) };
      if (entry.seq === seq) found = batch;
      this.#remember(batch, body.length);
    }
    return found;
  }

  #remember(batch: ChangeBatch, length: number): void {
    if (this.#known.has(batch.seq)) return;
    this.#known.set(batch.seq, { batch, length });
    this.#length += length;
    for (const [seq, oldest] of this.#known) {
      if (this.#length <= limits.entryCacheTextMax || this.#known.size === 1) return;
      this.#known.delete(seq);
      this.#length -= oldest.length;
    }
  }
}
