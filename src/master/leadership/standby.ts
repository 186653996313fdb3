/** One period of following: keeps up with the journal, and stands for election when the candidate wants to lead. */

import type { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { SchedulerSettings } from "../../core/scheduler/state.ts";
import { collectionVersions } from "../../model/collections/table.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";
import type { Probe } from "../../ports/transport.ts";
import type { CollectionGaps } from "../journal/collectionGaps.ts";
import { Committer } from "../journal/committer.ts";
import { Follower } from "../journal/follower.ts";
import { type ChangeBatch, encodeEntry, type JournalPosition, positionOf } from "../journal/journal.ts";
import type { LoopStats } from "../journal/loopStats.ts";
import type { MasterState } from "../masterState.ts";
import type { Changes } from "../streams/changes.ts";
import type { Election } from "./election.ts";
import { JournalPace, type JournalPaceSettings } from "./journalPace.ts";
import { WorkerProber } from "./workerProber.ts";

/** A lead that has been won: the memory to lead with, and where the journal stands. */
export interface Lead {
  readonly scheduler: Scheduler;
  readonly position: JournalPosition;
}

export interface StandbyParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly probe: Probe;
  readonly settings: Partial<SchedulerSettings> & JournalPaceSettings;
  readonly state: MasterState;
  readonly stats: LoopStats;
  readonly changes: Changes;
  readonly election: Election;
  readonly gaps: CollectionGaps;
}

export class Standby {
  readonly #parts: StandbyParts;
  readonly #follower: Follower;
  readonly #workerProber: WorkerProber;
  readonly #pace: JournalPace;
  #takeOver: Committer | null = null;
  #isElectionOpen = false;
  #hasLeft = false;
  #isStopped = false;
  /** True once a rest is to end, whatever the pace. */
  #isRested = false;
  #wake: (() => void) | null = null;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
    this.#workerProber = new WorkerProber(parts.probe, parts.clock);
    this.#pace = new JournalPace(parts.settings);
    const { store, clock, settings, gaps } = parts;
    this.#follower = new Follower({ store, clock, settings, gaps, onDrift: (seq) => this.#noteDrift(seq) });
    parts.election.listen({
      onCandidacy: () => this.#endRest(),
      onBeat: (beat) => {
        this.#pace.noteBeat(clock.now(), beat);
        this.#wake?.();
      },
      onClosed: () => {
        this.#pace.noteClosed();
        this.#wake?.();
      },
    });
  }

  /** Runs until the lead is won; null if it is stopped before. Throws only what is a bug or a store that must not be used. */
  async run(): Promise<Lead | null> {
    const { election, clock } = this.#parts;
    while (!this.#isStopped) {
      try {
        await this.#follower.catchUp((batch) => this.#noteEntry(batch));
        this.#noteCaughtUp();
        this.#pace.noteLook(clock.now(), this.#follower.position);
        this.#workerProber.look(this.#follower.scheduler);
        if (election.epochToEnd !== null) {
          const lead = await this.#standForElection(election.epochToEnd);
          if (lead !== null) {
            this.#workerProber.stop();
            return lead;
          }
          election.tell({ kind: "deposed" });
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#noteTrouble(error);
        this.#pace.noteTrouble(clock.now());
        await this.#rest();
        continue;
      }
      if (election.epochToEnd === null) await this.#rest();
    }
    return null;
  }

  stop(): void {
    this.#isStopped = true;
    this.#takeOver?.stop();
    this.#endRest();
  }

  async #standForElection(epochToEnd: number): Promise<Lead | null> {
    const { store, clock, log, state } = this.#parts;
    const { nonce, address } = state;
    const follower = this.#follower;
    while (!this.#isStopped) {
      await follower.catchUp((batch) => this.#noteEntry(batch));
      const { position } = follower;
      if (position.epoch > epochToEnd || this.#parts.gaps.missing.size > 0) return null;
      const epoch = position.epoch + 1;
      const marker = [{ kind: "marker", address, collections: collectionVersions }] as const;
      const entry = encodeEntry(position, { epoch, nonce }, clock.now(), marker);
      this.#takeOver = new Committer({ store, clock, log, health: state });
      const end = await this.#takeOver.commit(entry);
      this.#takeOver = null;
      if (end === "stopped") return null;
      if (end === "committed") {
        this.#noteEntry({ seq: entry.seq, epoch, at: entry.at, writes: marker });
        return { scheduler: follower.scheduler, position: positionOf(entry) };
      }
    }
    return null;
  }

  #noteEntry(batch: ChangeBatch): void {
    const { state, stats, election, changes } = this.#parts;
    state.epoch = batch.epoch;
    for (const write of batch.writes) {
      if (write.kind !== "marker") continue;
      state.leader = write.address;
      stats.elections += 1;
      election.tell({ kind: "led", epoch: batch.epoch, address: write.address });
    }
    changes.publish(batch);
  }

  /** Nothing newer was found in the journal. */
  #noteCaughtUp(): void {
    const { state, changes, election, gaps } = this.#parts;
    const { scheduler, position } = this.#follower;
    state.scheduler = scheduler;
    changes.startAt(position.seq);
    election.tell({ kind: "led", epoch: position.epoch, address: null });
    state.epoch = position.epoch;
    state.trouble = null;
    if (!this.#isStopped) state.setRole("standby");
    if (gaps.missing.size > 0) return this.#leaveElection();
    // Only a master that has read the journal may stand for election.
    if (!this.#isElectionOpen) election.tell({ kind: "tick" });
    this.#isElectionOpen = true;
  }

  /** What a newer leader has written would be lost on this master, so it follows and relays, but never leads. */
  #leaveElection(): void {
    const { election, gaps, log } = this.#parts;
    election.tell({ kind: "resign" });
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    log.error("a newer version of Outlast leads this store; this master never leads until it is upgraded", {
      collections: [...gaps.missing].join(", "),
    });
  }

  #noteTrouble(error: StoreUnavailable): void {
    const { state, log } = this.#parts;
    const trouble = `${error.reason}: ${error.message}`;
    if (state.trouble === null) log.warn("the journal cannot be read", { trouble });
    state.trouble = trouble;
  }

  #noteDrift(seq: number): void {
    this.#parts.stats.drifts += 1;
    this.#parts.log.error("this standby's memory differed from the leader's and was read again; please report this", {
      seq,
    });
  }

  /** Until it is time to look at the journal, or this master stands for election or stops. */
  async #rest(): Promise<void> {
    const { clock } = this.#parts;
    this.#isRested = false;
    while (!this.#isRested && !this.#isStopped && this.#pace.nextLookAt > clock.now()) {
      await this.#wait(Math.min(this.#pace.nextLookAt, this.#workerProber.nextAt));
      if (this.#follower.isLoaded) this.#workerProber.look(this.#follower.scheduler);
    }
  }

  #endRest(): void {
    this.#isRested = true;
    this.#wake?.();
  }

  /** Until then, or until something has come up that may bring the next look nearer. */
  async #wait(until: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.at(until, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
  }
}
