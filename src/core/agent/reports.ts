/** What the Agent has to tell its master: it piles up while one report is under way and goes with the next. */
import { limits } from "../../model/limits.ts";
import type { ReportItem } from "../../model/protocol.ts";
import { Fifo } from "../fifo.ts";
import type { HeldAttempt } from "./attempt.ts";

/** What one report carries, in the order of its items. */
export interface ReportBatch {
  readonly items: readonly ReportItem[];
  readonly starts: readonly HeldAttempt[];
  readonly results: readonly HeldAttempt[];
  readonly saysDraining: boolean;
  readonly saysBye: boolean;
}

export class AgentReports {
  /** Starts in the order in which they are due. One whose attempt has ended meanwhile is passed over. */
  readonly #starts = new Fifo<HeldAttempt>();
  readonly #results = new Fifo<HeldAttempt>();
  readonly #startedWaitMs: number;
  /** The master does not know yet that this worker is draining. */
  isDrainingUnreported = false;
  /** All is done: the next report with nothing left after it says goodbye. */
  isByeWanted = false;

  constructor(startedWaitMs: number) {
    this.#startedWaitMs = startedWaitMs;
  }

  addStart(held: HeldAttempt): void {
    held.isStartUnreported = true;
    this.#starts.push(held);
  }

  addResult(held: HeldAttempt): void {
    held.isStartUnreported = false;
    this.#results.push(held);
  }

  /** A master is about to be told of everything that runs here. */
  forgetStarts(): void {
    for (let held = this.#starts.shift(); held !== undefined; held = this.#starts.shift())
      held.isStartUnreported = false;
  }

  /** A new session: every result is to be sent again. */
  resetResults(unsettled: Iterable<HeldAttempt>): void {
    this.#results.clear();
    for (const held of unsettled) this.#results.push(held);
  }

  /** When the next report should leave; null if there is nothing to tell. */
  get dueAt(): number | null {
    if (this.#results.size > 0 || this.isDrainingUnreported || this.isByeWanted) return 0;
    const start = this.#firstStart();
    return start === undefined ? null : start.startedAt + this.#startedWaitMs;
  }

  /** Takes out what fits into one report. */
  take(now: number): ReportBatch {
    const items: ReportItem[] = [];
    const starts: HeldAttempt[] = [];
    const results: HeldAttempt[] = [];
    const saysDraining = this.isDrainingUnreported;
    if (saysDraining) items.push({ kind: "draining" });
    this.isDrainingUnreported = false;
    // One place is kept for the goodbye.
    const itemsMax = limits.reportItemsMax - 1;
    for (let held = this.#firstStart(); held !== undefined; held = this.#firstStart()) {
      if (held.startedAt + this.#startedWaitMs > now || items.length >= itemsMax) break;
      this.#starts.shift();
      held.isStartUnreported = false;
      starts.push(held);
      items.push({ kind: "started", ...held.issued, startedAt: held.startedAt });
    }
    let bytes = items.length * 1024;
    for (let held = this.#results.peek(); held !== undefined; held = this.#results.peek()) {
      bytes += held.resultBytes;
      if (items.length >= itemsMax || (results.length > 0 && bytes > limits.reportBodyBytesMax)) break;
      this.#results.shift();
      // A verdict may have come since it was queued.
      if (held.phase !== "unsettled" || held.result === null) continue;
      results.push(held);
      items.push(held.result);
    }
    const saysBye = this.isByeWanted && this.#results.size === 0;
    if (saysBye) items.push({ kind: "bye" });
    return { items, starts, results, saysDraining, saysBye };
  }

  /** The report did not get through: all of it is to be told again. */
  putBack(batch: ReportBatch): void {
    for (const held of batch.starts) if (held.phase === "running") this.addStart(held);
    for (const held of batch.results) if (held.phase === "unsettled") this.#results.push(held);
    if (batch.saysDraining) this.isDrainingUnreported = true;
  }

  #firstStart(): HeldAttempt | undefined {
    for (let held = this.#starts.peek(); held !== undefined; held = this.#starts.peek()) {
      if (held.isStartUnreported && held.phase === "running") return held;
      this.#starts.shift();
    }
    return undefined;
  }
}
