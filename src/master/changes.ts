/** Hands every committed change to whoever listens, in order and once, beginning wherever in the journal they ask. */
import { OutlastError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import type { ChangeBatch, Subscription } from "./face.ts";
import { decodeEntry } from "./journal.ts";

type Listener = (batch: ChangeBatch) => void;

export class Changes {
  readonly #store: Store;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  #seq = 0;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** The last committed entry that has been published here, or was there before. */
  get seq(): number {
    return this.#seq;
  }

  startAt(seq: number): void {
    this.#seq = seq;
  }

  publish(batch: ChangeBatch): void {
    this.#seq = batch.seq;
    for (const listener of [...this.#listeners]) {
      try {
        listener(batch);
      } catch (error) {
        this.#listeners.delete(listener);
        this.#log.error("a listener for changes failed and was dropped", { error });
      }
    }
  }

  /** @throws OutlastError `not-found` if the journal no longer reaches back to `afterSeq` */
  async subscribe(afterSeq: number | null, listener: Listener): Promise<Subscription> {
    // While the past is being read, the present waits in line.
    let pending: ChangeBatch[] | null = [];
    let isClosed = false;
    const receive: Listener = (batch) => {
      if (pending !== null) pending.push(batch);
      else listener(batch);
    };
    this.#listeners.add(receive);
    const close = (): void => {
      isClosed = true;
      this.#listeners.delete(receive);
    };
    try {
      if (afterSeq !== null) await this.#replay(afterSeq, this.#seq, listener, () => isClosed);
    } catch (error) {
      close();
      throw error;
    }
    for (const batch of pending) if (!isClosed) listener(batch);
    pending = null;
    return { close };
  }

  async #replay(afterSeq: number, untilSeq: number, listener: Listener, isClosed: () => boolean): Promise<void> {
    let seq = afterSeq;
    while (seq < untilSeq && !isClosed()) {
      const entries = await this.#store.readEntries(seq + 1, limits.entriesPerReadMax);
      const first = entries[0];
      if (first === undefined || first.seq !== seq + 1) {
        throw new OutlastError("not-found", `The journal no longer holds what came after ${afterSeq}.`, {
          hint: "Read the current state and follow from there.",
        });
      }
      for (const entry of entries) {
        if (entry.seq > untilSeq || isClosed()) return;
        const { epoch, at } = entry;
        seq = entry.seq;
        listener({ seq, epoch, at, writes: decodeEntry(entry) });
      }
    }
  }
}
