/** What the Agent has to tell its master: it waits while one report is under way and goes with the next. */
import { limits } from "../../model/limits.ts";
import { attemptItemsSince, type ItemAnswer, type ReportAnswer, type ReportItem } from "../../model/protocol.ts";
import { Fifo } from "../fifo.ts";
import type { HeldAttempt } from "./attempt.ts";
import type { Trouble } from "./trouble.ts";

/** What one report carries, in the order of its items. */
export interface ReportBatch {
  readonly items: readonly ReportItem[];
  readonly starts: readonly HeldAttempt[];
  /** Attempts with items to be acknowledged, and how many each has in this report. */
  readonly speakers: ReadonlyMap<HeldAttempt, number>;
  /** Attempts whose latest progress is in this report. */
  readonly tellers: readonly HeldAttempt[];
  readonly results: readonly HeldAttempt[];
  /** Results are acknowledged by id; with masters of protocol 1, by their position. */
  readonly hasIds: boolean;
  readonly saysDraining: boolean;
  readonly saysTrouble: boolean;
  readonly saysBye: boolean;
}

/** The answer to a report, sorted by whom it concerns. */
export interface Answered {
  /** Attempts whose results have been decided upon. */
  readonly results: readonly HeldAttempt[];
  readonly items: ReadonlyMap<HeldAttempt, readonly ItemAnswer[]>;
  /** How many items the report had. */
  readonly count: number;
}

export interface ReportSettings {
  readonly startedWaitMs: number;
  readonly progressMs: number;
}

export class AgentReports {
  /** Starts in the order in which they are due. One whose attempt has ended meanwhile is passed over. */
  readonly #starts = new Fifo<HeldAttempt>();
  readonly #results = new Fifo<HeldAttempt>();
  /** Attempts with unsent items. An attempt stands here once, and its items leave in order. */
  readonly #speakers = new Fifo<HeldAttempt>();
  /** Attempts with an unsent `latest`. */
  readonly #tellers = new Fifo<HeldAttempt>();
  readonly #settings: ReportSettings;
  readonly #trouble: Trouble;
  #lastId = 0;
  /** The master does not know yet that this worker is draining. */
  isDrainingUnreported = false;
  /** How many items a report may carry at the moment: fewer while one is looked for that a master refuses. */
  itemsMax = Number.POSITIVE_INFINITY;
  /** Everything is done: the next report with nothing left after it says goodbye. */
  isByeWanted = false;

  constructor(settings: ReportSettings, trouble: Trouble) {
    this.#settings = settings;
    this.#trouble = trouble;
  }

  /** An id for an item, unique in this boot. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  addStart(held: HeldAttempt): void {
    held.isStartUnreported = true;
    this.#starts.push(held);
  }

  addResult(held: HeldAttempt): void {
    held.isStartUnreported = false;
    if (held.resultId === 0) held.resultId = this.nextId();
    this.#results.push(held);
  }

  /** The attempt has items that are not in the report under way. */
  addSpeaker(held: HeldAttempt): void {
    if (held.items.isQueued) return;
    held.items.isQueued = true;
    this.#speakers.push(held);
  }

  /** The attempt's `latest` is to be sent. */
  addTeller(held: HeldAttempt): void {
    held.items.isLatestUnsent = true;
    if (held.items.isLatestQueued) return;
    held.items.isLatestQueued = true;
    this.#tellers.push(held);
  }

  /** A master is about to be told of everything that runs here, and of what is wrong. */
  forgetStarts(): void {
    this.#trouble.isUnreported = false;
    for (let held = this.#starts.shift(); held !== undefined; held = this.#starts.shift())
      held.isStartUnreported = false;
  }

  /** A new session: everything that was not acknowledged is to be sent again. */
  reset(attempts: Iterable<HeldAttempt>): void {
    this.#results.clear();
    for (const held of attempts) {
      if (held.phase === "unsettled") this.#results.push(held);
      const items = held.itemsIfAny;
      if (items === null) continue;
      items.sent = 0;
      if (items.pendingCount > 0) this.addSpeaker(held);
      if (items.latest !== null && held.phase === "running") this.addTeller(held);
    }
  }

  /** When the next report should leave; null if there is nothing that cannot wait for the next heartbeat. */
  get dueAt(): number | null {
    if (this.#trouble.isUnreported) return 0;
    const isUrgent = this.#results.size > 0 || this.#firstSpeaker() !== undefined;
    if (isUrgent || this.isDrainingUnreported || this.isByeWanted) return 0;
    const start = this.#firstStart();
    return start === undefined ? null : start.startedAt + this.#settings.startedWaitMs;
  }

  /** Takes out what fits into one report to a master that speaks `protocol`. */
  take(now: number, protocol: number): ReportBatch {
    const items: ReportItem[] = [];
    const starts: HeldAttempt[] = [];
    const results: HeldAttempt[] = [];
    const hasIds = protocol >= attemptItemsSince;
    // One place is kept for the goodbye.
    const itemsMax = Math.min(this.itemsMax, limits.reportItemsMax - 1);
    const saysDraining = this.isDrainingUnreported && itemsMax > 0;
    if (saysDraining) {
      items.push({ kind: "draining" });
      this.isDrainingUnreported = false;
    }
    // Before the results: what they free must not be given to this worker again.
    const saysTrouble = hasIds && items.length < itemsMax && this.#trouble.isToBeSaid(now);
    if (saysTrouble) {
      items.push({ kind: "trouble", text: this.#trouble.text });
      this.#trouble.noteSaid(now);
    }
    if (itemsMax > 1) this.#trouble.isUnreported = false;
    for (let held = this.#firstStart(); held !== undefined; held = this.#firstStart()) {
      if (held.startedAt + this.#settings.startedWaitMs > now || items.length >= itemsMax) break;
      this.#starts.shift();
      held.isStartUnreported = false;
      starts.push(held);
      items.push({ kind: "started", ...held.issued, startedAt: held.startedAt });
    }
    const tellers = hasIds ? this.#takeLatest(now, items, itemsMax) : [];
    let bytes = items.length * 1024;
    const speakers = new Map<HeldAttempt, number>();
    if (hasIds) bytes = this.#takeItems(items, itemsMax, bytes, speakers);
    for (let held = this.#results.peek(); held !== undefined; held = this.#results.peek()) {
      bytes += held.resultBytes;
      if (items.length >= itemsMax || (items.length > 0 && bytes > limits.reportBodyBytesMax)) break;
      this.#results.shift();
      // A verdict may have come since it was queued.
      if (held.phase !== "unsettled" || held.result === null) continue;
      results.push(held);
      items.push(hasIds ? { ...held.result, id: held.resultId } : held.result);
    }
    const saysBye =
      this.isByeWanted && this.itemsMax > 1 && this.#results.size === 0 && this.#firstSpeaker() === undefined;
    if (saysBye) items.push({ kind: "bye" });
    return { items, starts, speakers, tellers, results, hasIds, saysDraining, saysTrouble, saysBye };
  }

  /** Each attempt's progress goes at most once per `progressMs`. */
  #takeLatest(now: number, items: ReportItem[], itemsMax: number): HeldAttempt[] {
    const tellers: HeldAttempt[] = [];
    for (let left = this.#tellers.size; left > 0 && items.length < itemsMax; left -= 1) {
      const held = this.#tellers.shift();
      if (held === undefined) break;
      const own = held.items;
      if (held.phase !== "running" || own.latest === null) {
        own.isLatestQueued = false;
      } else if (own.latestSentAt + this.#settings.progressMs > now) {
        this.#tellers.push(held);
      } else {
        own.isLatestQueued = false;
        own.isLatestUnsent = false;
        own.latestSentAt = now;
        tellers.push(held);
        items.push({ ...own.latest, ...held.issued });
      }
    }
    return tellers;
  }

  /** @returns the bytes of the report so far */
  #takeItems(items: ReportItem[], itemsMax: number, bytesBefore: number, speakers: Map<HeldAttempt, number>): number {
    let bytes = bytesBefore;
    for (let held = this.#firstSpeaker(); held !== undefined; held = this.#firstSpeaker()) {
      for (const item of held.items.unsent) {
        if (items.length >= itemsMax) return bytes;
        if (items.length > 0 && bytes + item.bytes > limits.reportBodyBytesMax) return bytes;
        bytes += item.bytes;
        items.push({ ...item.content, ...held.issued, id: item.id });
        held.items.sent += 1;
        speakers.set(held, (speakers.get(held) ?? 0) + 1);
      }
    }
    return bytes;
  }

  /** The first attempt that really has something to send: items are dropped when their attempt is over. */
  #firstSpeaker(): HeldAttempt | undefined {
    for (let held = this.#speakers.peek(); held !== undefined; held = this.#speakers.peek()) {
      if (held.items.unsentCount > 0) return held;
      this.#speakers.shift();
      held.items.isQueued = false;
    }
    return undefined;
  }

  /** The report did not get through: all of it is to be told again. */
  putBack(batch: ReportBatch): void {
    for (const held of batch.starts) if (held.phase === "running") this.addStart(held);
    for (const held of batch.speakers.keys()) {
      held.items.sent = 0;
      if (held.items.pendingCount > 0) this.addSpeaker(held);
    }
    for (const held of batch.tellers) if (held.phase === "running") this.addTeller(held);
    for (const held of batch.results) if (held.phase === "unsettled") this.#results.push(held);
    if (batch.saysDraining) this.isDrainingUnreported = true;
    if (batch.saysTrouble) this.#trouble.isUnreported = true;
  }

  #firstStart(): HeldAttempt | undefined {
    for (let held = this.#starts.peek(); held !== undefined; held = this.#starts.peek()) {
      if (held.isStartUnreported && held.phase === "running") return held;
      this.#starts.shift();
    }
    return undefined;
  }
}

/** Sorts an answer; null if it leaves out something that was to be acknowledged. */
export function readAnswer(batch: ReportBatch, answer: ReportAnswer): Answered | null {
  if (!batch.hasIds) {
    const isComplete = batch.results.every((held, index) => {
      const verdict = answer.verdicts[index];
      return verdict?.task === held.task && verdict.attempt === held.attempt;
    });
    return isComplete ? { results: batch.results, items: new Map(), count: batch.items.length } : null;
  }
  const byId = new Map((answer.acks ?? []).map(({ id, ...own }) => [id, own]));
  // A result is never refused; a master that did so all the same has settled it.
  if (!batch.results.every(({ resultId }) => byId.has(resultId))) return null;
  const items = new Map<HeldAttempt, ItemAnswer[]>();
  for (const [held, count] of batch.speakers) {
    const own: ItemAnswer[] = [];
    for (const { id } of held.items.inReport(count)) {
      const answered = byId.get(id);
      if (answered === undefined) return null;
      own.push(answered);
    }
    items.set(held, own);
  }
  return { results: batch.results, items, count: batch.items.length };
}
