/** Applies the journal to a scheduler: keeps a standby warm, and brings a new leader up to date. */

import { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { SchedulerSettings } from "../../core/scheduler/state.ts";
import { hotCollections } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";
import { limits } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Entry, LiveView, Store } from "../../ports/store.ts";
import type { CollectionGaps } from "./collectionGaps.ts";
import {
  type ChangeBatch,
  checkLink,
  decodeEntry,
  JournalBroken,
  type JournalPosition,
  journalStart,
  positionOf,
} from "./journal.ts";

export interface FollowerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: Partial<SchedulerSettings>;
  readonly gaps: CollectionGaps;
  /** This memory was not what the leader's was at the same seq; it has been read again by then. */
  readonly onDrift: (seq: number) => void;
}

export class Follower {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #settings: Partial<SchedulerSettings>;
  readonly #gaps: CollectionGaps;
  #scheduler: Scheduler;
  #position: JournalPosition = journalStart;
  #isLoaded = false;
  readonly #onDrift: (seq: number) => void;

  constructor({ store, clock, settings, gaps, onDrift }: FollowerParts) {
    this.#onDrift = onDrift;
    this.#gaps = gaps;
    this.#store = store;
    this.#clock = clock;
    this.#settings = settings;
    this.#scheduler = new Scheduler(settings);
  }

  /** False until the store was read for the first time, and while it must be read again. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get position(): JournalPosition {
    return this.#position;
  }

  /** The scheduler so far. After a take-over this follower must not be used. */
  get scheduler(): Scheduler {
    return this.#scheduler;
  }

  /**
   * Reads until there is nothing newer. `onEntry` gets each entry after the first load.
   * @throws JournalBroken, StoreUnavailable
   */
  async catchUp(onEntry: (batch: ChangeBatch) => void): Promise<void> {
    if (!this.#isLoaded) await this.#load();
    for (;;) {
      const entries = await this.#store.readEntries(this.#position.seq + 1, limits.entriesPerReadMax);
      const first = entries[0];
      if (first === undefined) return;
      if (first.seq !== this.#position.seq + 1) {
        // Compacted away meanwhile: load the view again.
        await this.#load();
        continue;
      }
      for (const entry of entries) onEntry(this.#apply(entry));
      // What the memory holds of a collection that is no longer understood is of no use.
      if (!this.#isLoaded) await this.#load();
      else if (this.#scheduler.hasDrifted) {
        this.#onDrift(this.#position.seq);
        await this.#load();
      }
    }
  }

  #apply(entry: Entry): ChangeBatch {
    checkLink(this.#position, entry);
    const writes = decodeEntry(entry, this.#gaps.missing);
    for (const write of writes) {
      if (write.kind === "marker" && this.#gaps.note(write.collections)) this.#isLoaded = false;
      this.#scheduler.apply(this.#understood(write), this.#clock.now());
    }
    this.#position = positionOf(entry);
    return { seq: entry.seq, epoch: entry.epoch, at: entry.at, writes };
  }

  /** Without the sums of collections that are not in this memory. */
  #understood(write: Write): Write {
    if (write.kind !== "digest" || this.#gaps.missing.size === 0) return write;
    const { tasks, ...rest } = write.digest;
    const parts = Object.entries(rest).filter(([name]) => !this.#gaps.missing.has(name));
    return { kind: "digest", digest: { tasks, ...Object.fromEntries(parts) } };
  }

  async #load(): Promise<void> {
    const now = this.#clock.now();
    this.#scheduler = new Scheduler(this.#settings);
    const view = await this.#store.loadView(hotCollections.filter((name) => !this.#gaps.missing.has(name)));
    if (view.collections !== null && this.#gaps.note(view.collections)) {
      await closeView(view);
      return this.#load();
    }
    for await (const batch of view.records)
      for (const record of batch) this.#scheduler.apply({ kind: "record", ...record }, now);
    for (const { queue, state, count } of view.finished) this.#scheduler.loadCount(queue, state, count);
    for await (const batch of view.tasks) for (const { head, status } of batch) this.#scheduler.load(head, status);
    const position = await this.#positionAt(view.seq);
    // What the view rests on was compacted away since it was read: nothing could be linked to it.
    if (position === null) return this.#load();
    this.#position = position;
    this.#isLoaded = true;
  }

  /** Null if that entry is no longer there. */
  async #positionAt(seq: number): Promise<JournalPosition | null> {
    if (seq === 0) return journalStart;
    const [entry] = await this.#store.readEntries(seq, 1);
    if (entry === undefined || entry.seq < seq)
      throw new JournalBroken(`Entry ${seq}, which the view rests on, is not in the journal.`);
    return entry.seq === seq ? positionOf(entry) : null;
  }
}

/** Lets go of a view that nobody reads. */
async function closeView({ tasks }: LiveView): Promise<void> {
  for await (const _batch of tasks) return;
}
