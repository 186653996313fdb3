/** What the journal holds of the past, read and decoded once for however many want to be told of it at about the same time. */
import { limits } from "../../model/limits.ts";
import type { Store } from "../../ports/store.ts";
import { type ChangeBatch, decodeEntry } from "./journal.ts";

interface Known {
  readonly batch: ChangeBatch;
  /** Of the entry's text, in UTF-16 units. */
  readonly length: number;
}

export class EntryCache {
  readonly #store: Store;
  /** The batches that were asked for last, by seq; the ones that were read first come first. */
  readonly #known = new Map<number, Known>();
  #length = 0;
  /** Ends when the last read that was asked for has ended: reads take turns, however many ask. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The batch in this slot of the journal; null if that is not there, or not any more. */
  async at(seq: number): Promise<ChangeBatch | null> {
    const known = this.#known.get(seq);
    if (known !== undefined) return known.batch;
    const reading = this.#turn.then(() => this.#read(seq));
    this.#turn = reading.catch(() => {});
    return reading;
  }

  async #read(seq: number): Promise<ChangeBatch | null> {
    // Somebody before us in line may have wanted the same.
    const known = this.#known.get(seq);
    if (known !== undefined) return known.batch;
    let found: ChangeBatch | null = null;
    for (const entry of await this.#store.readEntries(seq, limits.entriesPerReadMax)) {
      const { epoch, at, body } = entry;
      const batch = { seq: entry.seq, epoch, at, writes: decodeEntry(entry) };
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
