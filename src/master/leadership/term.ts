/**
 * One term of leadership: the loop that lets the scheduler process inputs, commits what it writes as one entry, and then releases
 * its effects. Durable first, visible second: that order is the safety rule of this file.
 */

import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import type { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { TaskStep } from "../../core/scheduler/tasks.ts";
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

export class Term {
  readonly #parts: TermParts;
  readonly #committer: Committer;
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
    const { inbox, scheduler, readBarrier } = this.#parts;
    scheduler.countSteps();
    const migrationEnd = await this.#migrate();
    if (migrationEnd !== null) return migrationEnd;
    while (!this.#isStopping) {
      const { now, inputs } = await inbox.take(scheduler.nextWakeAt());
      const out = new EntryDraft(this.#position.seq + 1);
      this.#tellClockLag(now, out);
      const taken = this.#stepAll(now, inputs, out);
      scheduler.step(now, { kind: "tick" }, out);
      const isBarrierWanted = readBarrier.begin();
      const isLeadUnconfirmed = now - this.#provenAt > this.#parts.unconfirmedMsMax;
      if (out.writes.length > 0 || isBarrierWanted || (isLeadUnconfirmed && out.effects.length > 0)) {
        const end = await this.#commit(now, out);
        if (end !== null) return end;
      }
      this.#parts.stats.noteBatch(taken, out.writes.length);
      this.#parts.onSteps(now, scheduler.takeSteps());
      this.#parts.release(out.effects);
    }
    return "stopped";
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
    if (tookMs > defaults.clockGapCommitMs) inbox.push({ kind: "clock-gap", forMs: tookMs });
  }

  async #commit(now: number, out: EntryDraft): Promise<TermEnd | null> {
    const { clock, stats, epoch, readBarrier, state } = this.#parts;
    const entry = encodeEntry(this.#position, { epoch, nonce: state.nonce }, now, out.writes, (write) =>
      out.textOf(write),
    );
    const bytes = Buffer.byteLength(entry.body) + limits.entryEnvelopeBytesMax;
    if (bytes > limits.entryBytesMax)
      throw new Error(
        `Entry ${entry.seq} would have ${bytes} bytes with ${out.writes.length} writes; ${limits.entryBytesMax} are allowed.`,
      );
    const alarm = clock.at(now + limits.commitWaitMsMax, () => this.#parts.onTrouble());
    const startedAt = clock.now();
    const end = await this.#committer.commit(entry);
    alarm.cancel();
    if (end !== "committed") return end;
    const tookMs = clock.now() - startedAt;
    stats.noteCommit(startedAt, tookMs);
    this.#position = positionOf(entry);
    this.#noteAnswered(tookMs);
    this.#parts.onCommitted({ seq: entry.seq, epoch, at: now, writes: out.writes }, entry.texts);
    readBarrier.settle(entry.seq);
    return null;
  }
}
