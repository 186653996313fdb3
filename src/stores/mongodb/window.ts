/**
 * The end of the journal that may not be in the view yet, held in memory. Reads look at the view through it, and so see every committed
 * entry; the writer of the view works it off from its beginning.
 */
import type { CollectionVersions } from "../../model/collections/table.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { TaskState } from "../../model/task.ts";
import { StoreRefused } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { advance, type Derived, decodeDerived, noDerived } from "./derived.ts";
import type { JournalCollection } from "./journal.ts";
import { Overlay, type Step, toOutgoing, toStep } from "./overlay.ts";

/** Where the journal ends, as far as this handle knows. */
export interface Tail {
  readonly seq: number;
  /** When it was decided, by its author's clock. */
  readonly at: number;
  readonly crc: number;
  readonly epoch: number;
  readonly nonce: string;
}

/** What is known of a task without looking, for the one who writes the next entry. */
export interface KnownTask {
  readonly state: TaskState;
  readonly queue: string;
  readonly ord: number | null;
}

/** A reader that needs every entry from some seq on, however far the view gets meanwhile. */
export interface Pin {
  readonly overlay: Overlay;
  /** True once an entry was missed: the reader must begin again. */
  isBroken: boolean;
}

const noTail: Tail = { seq: 0, at: 0, crc: 0, epoch: 0, nonce: "" };

export class JournalWindow {
  readonly overlay = new Overlay();
  readonly known = new Map<TaskId, KnownTask>();
  readonly #connection: Connection;
  readonly #journal: JournalCollection;
  readonly #steps: Step[] = [];
  readonly #pins = new Set<Pin>();
  /** Every entry up to here is in the view. */
  #viewSeq = 0;
  /** As of `viewSeq`. */
  #viewDerived: Derived = noDerived;
  #tail: Tail = noTail;
  /** As of the tail. */
  #derived: Derived = noDerived;
  #length = 0;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(connection: Connection, journal: JournalCollection) {
    this.#connection = connection;
    this.#journal = journal;
  }

  get tail(): Tail {
    return this.#tail;
  }

  get ordMax(): number {
    return this.#derived.ordMax;
  }

  /** How many tasks there are as of the tail, by `state queue`. */
  get counts(): { readonly [key: string]: number } {
    return this.#derived.counts;
  }

  /** What the last marker lists. */
  get collections(): CollectionVersions | null {
    return this.#derived.collections ?? null;
  }

  get viewSeq(): number {
    return this.#viewSeq;
  }

  get viewDerived(): Derived {
    return this.#viewDerived;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Of the bodies of its entries, in UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** Learns of every entry that was committed before this call. Calls at about the same time share one look at the store. */
  sync(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#advance().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    // The look that is under way may have begun too early for this caller.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.sync();
      });
    return this.#next;
  }

  /** A committed entry that follows the tail. */
  push(step: Step): void {
    if (step.seq !== this.#tail.seq + 1) throw new Error(`Entry ${step.seq} does not follow ${this.#tail.seq}.`);
    this.#steps.push(step);
    this.#length += step.length;
    this.#tail = step;
    this.#derived = advance(this.#derived, step.derived);
    this.overlay.apply(step);
    for (const pin of this.#pins) pin.overlay.apply(step);
    this.#learn(step);
  }

  /** Every entry up to `seq` is in the view, on a majority. */
  viewReached(seq: number): void {
    while (true) {
      const step = this.#steps[0];
      if (step === undefined || step.seq > seq) return;
      this.#steps.shift();
      this.#length -= step.length;
      this.#viewSeq = step.seq;
      this.#viewDerived = advance(this.#viewDerived, step.derived);
      this.overlay.prune(step, seq);
    }
  }

  /** From now on the pin sees every entry that is not known to be in the view. */
  pin(): Pin {
    const pin: Pin = { overlay: this.overlay.copy(), isBroken: false };
    this.#pins.add(pin);
    return pin;
  }

  unpin(pin: Pin): void {
    this.#pins.delete(pin);
  }

  async #advance(): Promise<void> {
    await this.#lookAtView();
    for (;;) {
      // An entry of our own may be pushed while the journal is read.
      const from = this.#tail.seq + 1;
      const entries = await this.#journal.read(from, limits.entriesPerReadMax);
      const first = entries[0];
      if (first === undefined) return;
      if (first.entry.seq > from) {
        // Compacted away, so it is in the view.
        await this.#startAtView(this.#tail);
        continue;
      }
      for (const { entry, derived } of entries) {
        if (entry.seq <= this.#tail.seq) continue;
        if (entry.previousCrc !== this.#tail.crc) throw broken(this.#connection.address.name, entry.seq);
        this.push(toStep(toOutgoing(entry), derived));
      }
    }
  }

  async #lookAtView(): Promise<void> {
    const before = this.#tail;
    const note = await this.#readNote();
    if (note.seq > this.#tail.seq && this.#pins.size === 0) await this.#startAtView(before);
    else this.viewReached(note.seq);
  }

  /** Drops everything and begins where the view stands, unless an entry has been pushed since the tail was `before`. */
  async #startAtView(before: Tail): Promise<void> {
    for (;;) {
      const { seq, derived } = await this.#readNote();
      const last = seq === 0 ? null : await this.#journal.at(seq);
      if (seq > 0 && last === null) {
        if ((await this.#journal.readFloor()) > seq) continue;
        throw new StoreRefused(
          `${this.#connection.address.name}: entry ${seq}, which the view rests on, is not in the journal.`,
          "The store was restored in part. Restore all of its collections from one backup.",
        );
      }
      if (this.#tail !== before) return;
      for (const pin of this.#pins) pin.isBroken = true;
      this.#steps.length = 0;
      this.#length = 0;
      this.overlay.clear();
      this.known.clear();
      this.#viewSeq = seq;
      this.#viewDerived = derived;
      this.#tail = last?.entry ?? noTail;
      this.#derived = derived;
      return;
    }
  }

  /** Up to here the view is on a majority, whoever wrote it. */
  async notedSeq(): Promise<number> {
    return (await this.#readNote()).seq;
  }

  async #readNote(): Promise<{ readonly seq: number; readonly derived: Derived }> {
    const note = await this.#connection.meta.findOne({ _id: "view" });
    if (note === null) {
      throw new StoreRefused(
        `${this.#connection.address.name} has lost its note of how far the view is.`,
        "Something other than Outlast has changed the collection `meta`. Restore the store from a backup.",
      );
    }
    const seq = Number(note["seq"]);
    return { seq, derived: decodeDerived(seq, note["derived"], note["derivedCrc"]) };
  }

  #learn({ changes, ords }: Step): void {
    for (const id of changes.forgottenTasks) this.known.delete(id);
    for (const [id, { spec, status }] of changes.tasks) {
      const before = this.known.get(id);
      const state = status?.state ?? before?.state;
      const queue = spec?.queue ?? before?.queue;
      if (state === undefined || queue === undefined) continue;
      // Put last, so that the ones that were not in motion for longest are dropped first.
      this.known.delete(id);
      this.known.set(id, { state, queue, ord: ords.get(id) ?? before?.ord ?? null });
    }
    for (const id of this.known.keys()) {
      if (this.known.size <= limits.storeCachedRowsMax) return;
      this.known.delete(id);
    }
  }
}

function broken(name: string, seq: number): StoreRefused {
  return new StoreRefused(
    `The journal in ${name} is damaged: entry ${seq} does not continue the entry before it.`,
    "Restore the store from a backup.",
  );
}
