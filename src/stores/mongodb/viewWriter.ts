/**
 * Brings the view up to date behind the journal. Everything it does may be done twice, or late by somebody who was deposed: each write
 * is made only if the document is older than the entry. What several entries say of one task is written once, so a task that is over
 * quickly costs one write.
 */
import { setTimeout } from "node:timers/promises";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { encodeDerived } from "./derived.ts";
import { DocumentWriter } from "./documentWriter.ts";
import type { JournalCollection } from "./journal.ts";
import { Overlay, type Step } from "./overlay.ts";
import type { JournalWindow } from "./window.ts";

interface Waiter {
  readonly seq: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class ViewWriter {
  readonly #connection: Connection;
  readonly #window: JournalWindow;
  readonly documents: DocumentWriter;
  /** The view is at the window's `viewSeq`; up to here that is written down. */
  #notedSeq = 0;
  #notedAt = 0;
  /** Who wrote the entries through this handle; null while others do. */
  #author: string | null = null;
  #waiters: Waiter[] = [];
  #running: Promise<void> | null = null;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(connection: Connection, journal: JournalCollection, window: JournalWindow) {
    this.#connection = connection;
    this.#window = window;
    this.documents = new DocumentWriter(connection, journal);
  }

  /** True while this handle is the one that keeps the view. */
  get isWriting(): boolean {
    return this.#author !== null;
  }

  /** An entry of this author was committed through this handle: from now on it keeps the view, until another author appears. */
  start(nonce: string): void {
    this.#author = nonce;
    this.#kick();
  }

  #kick(): void {
    if (this.#isClosed || this.#author === null) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when the view has reached `seq` and, unless it is only to be soon, that is written down. Must be writing. */
  async reached(seq: number, note: "noted" | "soon" = "noted"): Promise<void> {
    if (this.#window.viewSeq < seq) {
      if (this.#author === null) throw this.#notKeeping();
      await new Promise<void>((resolve, reject) => {
        this.#waiters.push({ seq, resolve, reject });
        this.#wake();
        this.#kick();
      });
    }
    if (note === "noted" && this.#notedSeq < seq) await this.#note();
  }

  /** Writes what there is and stops, within bounds: whatever is not written by then is left to the next leader. */
  async stop(): Promise<void> {
    const { seq } = this.#window.tail;
    const isWriting = this.#running !== null || this.#notedSeq < this.#window.viewSeq;
    if (isWriting) {
      const patience = setTimeout(mongodbLimits.closeMsMax, undefined, { ref: false });
      await Promise.race([this.reached(seq).catch(() => undefined), patience]);
    }
    this.#isClosed = true;
    this.#wake();
  }

  /** Resolves when nothing runs any more; the connection must be closed by then, so that nothing can go on. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let tries = 0; !this.#isClosed; ) {
      if (this.#window.tail.nonce !== this.#author) return this.#leave();
      const steps = this.#take();
      if (steps.length === 0) {
        if (this.#notedSeq < this.#window.viewSeq && !(await this.#noteInTime())) continue;
        if (this.#window.steps.length === 0) return;
        continue;
      }
      try {
        await this.#pause(this.#lingerMs(steps));
        // More may have come meanwhile.
        const batch = this.#take();
        const last = batch.at(-1);
        if (last === undefined) continue;
        await this.#write(batch);
        this.#window.viewReached(last.seq);
        tries = 0;
        this.#settle();
        if (performance.now() - this.#notedAt > mongodbLimits.noteMsMax) await this.#note();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) return this.#fail(error);
        tries += 1;
        await this.#pause(Math.min(mongodbLimits.retryMsMax, 20 * 2 ** Math.min(tries, 10)));
      }
    }
  }

  /** The next entries, as many as are written at once. */
  #take(): Step[] {
    const steps: Step[] = [];
    let tasks = 0;
    let length = 0;
    for (const step of this.#window.steps) {
      steps.push(step);
      tasks += step.changes.tasks.size + step.changes.forgottenTasks.size;
      length += step.length;
      if (tasks >= mongodbLimits.viewTasksMax || length >= mongodbLimits.textBytesMax) break;
    }
    return steps;
  }

  #lingerMs(steps: readonly Step[]): number {
    const isWanted = this.#waiters.length > 0;
    const isFull = steps.length < this.#window.steps.length;
    return isWanted || isFull || this.#isClosed ? 0 : mongodbLimits.viewLingerMs;
  }

  async #write(steps: readonly Step[]): Promise<void> {
    const overlay = new Overlay();
    for (const step of steps) overlay.apply(step);
    await this.#connection.run(() => this.documents.write(overlay, steps));
  }

  /** Waits until it is time to write down how far the view is. False if something else has come up before. */
  async #noteInTime(): Promise<boolean> {
    const waitMs = this.#notedAt + mongodbLimits.noteMsMax - performance.now();
    if (waitMs > 0 && !this.#isClosed) await this.#pause(waitMs);
    if (this.#window.steps.length > 0) return false;
    try {
      await this.#note();
      return true;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) {
        this.#fail(error);
        return true;
      }
      await this.#pause(mongodbLimits.retryMsMax);
      return false;
    }
  }

  async #note(): Promise<void> {
    const { viewSeq, viewDerived } = this.#window;
    await this.#connection.run(() =>
      this.#connection.meta.updateOne(
        { _id: "view", seq: { $lt: viewSeq } },
        { $set: { seq: viewSeq, ...encodeDerived(viewSeq, viewDerived) } },
      ),
    );
    this.#notedSeq = Math.max(this.#notedSeq, viewSeq);
    this.#notedAt = performance.now();
  }

  #settle(): void {
    const { viewSeq } = this.#window;
    const done = this.#waiters.filter(({ seq }) => seq <= viewSeq);
    this.#waiters = this.#waiters.filter(({ seq }) => seq > viewSeq);
    for (const waiter of done) waiter.resolve();
  }

  /** Another author leads now, and keeps the view. */
  #leave(): void {
    this.#author = null;
    this.#fail(this.#notKeeping());
  }

  #notKeeping(): StoreUnavailable {
    return new StoreUnavailable("busy", `${this.#connection.address.name}: another master keeps the view.`);
  }

  #fail(error: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  async #pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const abort = new AbortController();
    this.#wake = resolve;
    await Promise.race([promise, setTimeout(ms, undefined, { ref: false, signal: abort.signal })]);
    abort.abort();
    this.#wake = () => undefined;
  }
}
