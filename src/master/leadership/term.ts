/**
 * One term of leadership: the loop that lets the scheduler process inputs, commits what it writes as one entry, and then releases
 * its effects. Durable first, visible second: that order is the safety rule of this file.
 *
 * Where much waits, the next batch is decided and encoded while the entry of the last one is on its way into the store. Its own
 * append begins only when that entry is committed; if it is refused, both are dropped with all memory of this term.
 */

import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import type { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { TaskStep } from "../../core/scheduler/tasks.ts";
import type { OutgoingEntry } from "../../model/entry.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import { Committer } from "../journal/committer.ts";
import { EntryDraft } from "../journal/entryDraft.ts";
import type { Inbox } from "../journal/inbox.ts";
import { type ChangeBatch, encodeEntry, type JournalPosition, positionOf } from "../journal/journal.ts";
import type { LoopStats } from "../journal/loopStats.ts";
import type { ReadBarrier } from "../journal/readBarrier.ts";
import type { MasterState } from "../masterState.ts";

export interface TermParts {
  readonly epoch: number;
  readonly scheduler: Scheduler;
  /** The position after the marker of this term. */
  readonly position: JournalPosition;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly stats: LoopStats;
  readonly readBarrier: ReadBarrier;
  readonly state: MasterState;
  /** After this long without a commit, an answer that writes nothing needs one first, to prove that this master still leads. */
  readonly unconfirmedMsMax: number;
  /** From so many waiting records the next batch is decided while the last one is being committed. */
  readonly aheadRecordsMin: number;
  /** False if nobody waits for the input's reply any more. */
  isWanted(input: SchedulerInput): boolean;
  /** The writes are committed. `texts[i]` is the JSON text of the record in `writes[i]`. */
  onCommitted(batch: ChangeBatch, texts: readonly string[]): void;
  /** These steps of tasks are committed. */
  onSteps(now: number, steps: readonly TaskStep[]): void;
  /** The effects may be seen from now on. */
  release(effects: readonly SchedulerEffect[]): void;
  /** The store takes so long to answer that waiting requests must be answered. */
  onTrouble(): void;
  /** The store has answered, and this master still leads. */
  onAnswered(): void;
}

/**
 * deposed  another master's entry has our slot: all memory must be dropped
 * stopped  stopped as requested, after the batch in flight
 */
export type TermEnd = "deposed" | "stopped";

/** A batch that is decided and not committed yet. */
interface Decided {
  readonly now: number;
  readonly out: EntryDraft;
  /** How many inputs it took. */
  readonly taken: number;
  readonly steps: readonly TaskStep[];
  /** Null if it writes nothing. */
  readonly entry: OutgoingEntry | null;
}

export class Term {
  readonly #parts: TermParts;
  readonly #committer: Committer;
  /** After the last entry that was encoded; the one before it is committed. */
  #position: JournalPosition;
  #provenAt: number;
  /** As the scheduler was last told. */
  #clockLagMs: number;
  #isStopping = false;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.#position = parts.position;
    this.#provenAt = parts.clock.now();
    this.#clockLagMs = parts.clock.lagMs();
    this.#committer = new Committer({ store: parts.store, clock: parts.clock, log: parts.log, health: parts.state });
  }

  /** Runs until it is stopped or deposed. Throws only what is a bug or a store that must not be used. */
  async run(): Promise<TermEnd> {
    const { inbox, scheduler } = this.#parts;
    scheduler.countSteps();
    const migrationEnd = await this.#migrate();
    if (migrationEnd !== null) return migrationEnd;
    let ahead: Decided | null = null;
    while (!this.#isStopping) {
      const decided: Decided = ahead ?? this.#decide(await inbox.take(scheduler.nextWakeAt()));
      const finishing = this.#finish(decided);
      ahead = await this.#decideAhead(finishing);
      const end = await finishing;
      if (end !== null) return end;
    }
    return "stopped";
  }

  #decide({ now, inputs }: { readonly now: number; readonly inputs: readonly SchedulerInput[] }): Decided {
    const { scheduler } = this.#parts;
    const out = new EntryDraft(this.#position.seq + 1);
    this.#tellClockLag(now, out);
    const taken = this.#stepAll(now, inputs, out);
    scheduler.step(now, { kind: "tick" }, out);
    const entry = out.writes.length > 0 ? this.#encode(now, out) : null;
    return { now, out, taken, steps: scheduler.takeSteps(), entry };
  }

  /**
   * Decides the next batch while `finishing` goes on, if much waits for it. Not once the leader has been deaf for long: silence must
   * not be judged before it knows how long.
   */
  async #decideAhead(finishing: Promise<unknown>): Promise<Decided | null> {
    const { inbox, clock, aheadRecordsMin } = this.#parts;
    const startedAt = clock.now();
    const isWaiting = await Promise.race([finishing.then(() => false), inbox.untilWaiting(aheadRecordsMin)]);
    if (!isWaiting || this.#isStopping) return null;
    const waiting = inbox.takeAtOnce();
    if (waiting.now - startedAt <= defaults.clockGapCommitMs) return this.#decide(waiting);
    inbox.giveBack(waiting.inputs);
    return null;
  }

  /** Commits what was decided, then lets it be seen. @returns null if the term goes on */
  async #finish({ now, out, taken, steps, entry }: Decided): Promise<TermEnd | null> {
    const isBarrierWanted = this.#parts.readBarrier.begin();
    const isLeadUnconfirmed = now - this.#provenAt > this.#parts.unconfirmedMsMax;
    if (entry !== null || isBarrierWanted || (isLeadUnconfirmed && out.effects.length > 0)) {
      const end = await this.#commit(now, out, entry ?? this.#encode(now, out));
      if (end !== null) return end;
    }
    this.#parts.stats.noteBatch(taken, out.writes.length);
    this.#parts.onSteps(now, steps);
    this.#parts.release(out.effects);
    return null;
  }

  #tellClockLag(now: number, out: EntryDraft): void {
    const lagMs = this.#parts.clock.lagMs();
    if (lagMs === this.#clockLagMs) return;
    this.#clockLagMs = lagMs;
    this.#parts.scheduler.step(now, { kind: "clock-lag", lagMs }, out);
  }

  /** Until the entry is full, which the end of a worker with many attempts can bring about. @returns how many were taken */
  #stepAll(now: number, inputs: readonly SchedulerInput[], out: EntryDraft): number {
    const { inbox, scheduler } = this.#parts;
    for (const [index, input] of inputs.entries()) {
      if (out.isFull()) {
        inbox.giveBack(inputs.slice(index));
        return index;
      }
      if (this.#parts.isWanted(input)) scheduler.step(now, input, out);
    }
    return inputs.length;
  }

  /** Ends the loop after the batch in flight; a commit whose outcome is unknown is left to the next leader. */
  stop(): void {
    this.#isStopping = true;
    this.#committer.stop();
    this.#parts.inbox.interrupt();
  }

  /** Brings the store up to this version before anything but the marker is written. @returns null once that is done */
  async #migrate(): Promise<TermEnd | null> {
    const { clock, store, state } = this.#parts;
    const startedAt = clock.now();
    const alarm = clock.at(startedAt + limits.commitWaitMsMax, () => this.#parts.onTrouble());
    const end = await this.#committer.untilKnown(this.#position.seq, () =>
      store.migrate({ seq: this.#position.seq, nonce: state.nonce }),
    );
    alarm.cancel();
    if (end === "stopped") return "stopped";
    if (end === "taken") return "deposed";
    this.#noteAnswered(clock.now() - startedAt);
    return null;
  }

  /** Every wait for the store ends here, if it ends well: whatever was refused because of it is accepted again. */
  #noteAnswered(tookMs: number): void {
    const { clock, inbox } = this.#parts;
    this.#provenAt = clock.now();
    this.#parts.onAnswered();
    // Meanwhile no heartbeat was processed, so that silence does not count against workers.
    if (tookMs > defaults.clockGapCommitMs) inbox.push({ kind: "clock-gap", forMs: tookMs, cause: "store" });
  }

  /** The entry that follows the last one that was encoded. */
  #encode(now: number, out: EntryDraft): OutgoingEntry {
    const { epoch, state } = this.#parts;
    const entry = encodeEntry(this.#position, { epoch, nonce: state.nonce }, now, out.writes, (write) =>
      out.textOf(write),
    );
    const bytes = Buffer.byteLength(entry.body) + limits.entryEnvelopeBytesMax;
    if (bytes > limits.entryBytesMax)
      throw new Error(
        `Entry ${entry.seq} would have ${bytes} bytes with ${out.writes.length} writes; ${limits.entryBytesMax} are allowed.`,
      );
    this.#position = positionOf(entry);
    return entry;
  }

  async #commit(now: number, out: EntryDraft, entry: OutgoingEntry): Promise<TermEnd | null> {
    const { clock, stats, epoch, readBarrier } = this.#parts;
    const alarm = clock.at(now + limits.commitWaitMsMax, () => this.#parts.onTrouble());
    const startedAt = clock.now();
    const end = await this.#committer.commit(entry);
    alarm.cancel();
    if (end !== "committed") return end;
    const tookMs = clock.now() - startedAt;
    stats.noteCommit(startedAt, tookMs);
    this.#noteAnswered(tookMs);
    this.#parts.onCommitted({ seq: entry.seq, epoch, at: now, writes: out.writes }, entry.texts);
    readBarrier.settle(entry.seq);
    return null;
  }
}
