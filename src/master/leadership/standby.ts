/** One stretch of following: keeps up with the journal, and stands for election when the candidate wants to. */

import type { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { SchedulerSettings } from "../../core/scheduler/state.ts";
import type { Nonce } from "../../model/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";
import type { Probe } from "../../ports/transport.ts";
import { Committer } from "../journal/committer.ts";
import { Follower } from "../journal/follower.ts";
import { encodeEntry, type JournalPosition, positionOf } from "../journal/journal.ts";
import type { ChangeBatch } from "../service/masterApi.ts";
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
  readonly settings: Partial<SchedulerSettings> & { readonly tailPollMs: number };
  readonly nonce: Nonce;
  readonly address: string;
  /** An entry that came after the first load. */
  readonly onEntry: (batch: ChangeBatch) => void;
  /** Nothing newer was to be found. */
  readonly onCaughtUp: (scheduler: Scheduler, position: JournalPosition) => void;
  /** Why the journal cannot be read; told each time that it cannot. */
  readonly onTrouble: (trouble: string) => void;
  /** The memory was not what the leader's was at this seq, and has been read anew. */
  readonly onDrift: (seq: number) => void;
  /** An election that was wanted has gone to somebody else. */
  readonly onLost: () => void;
}

export class Standby {
  readonly #parts: StandbyParts;
  readonly #follower: Follower;
  readonly #workerProber: WorkerProber;
  #takeOver: Committer | null = null;
  /** The epoch that is to be ended, while a take-over is wanted. */
  #epochToEnd: number | null = null;
  #isStopped = false;
  #wake: (() => void) | null = null;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
    this.#workerProber = new WorkerProber(parts.probe, parts.clock);
    this.#follower = new Follower(parts.store, parts.clock, parts.settings, parts.onDrift);
  }

  /** Runs until the lead is won; null if it is stopped before. Throws only what is a bug or a store that must not be used. */
  async run(): Promise<Lead | null> {
    while (!this.#isStopped) {
      try {
        await this.#follower.catchUp(this.#parts.onEntry);
        this.#parts.onCaughtUp(this.#follower.scheduler, this.#follower.position);
        this.#workerProber.look(this.#follower.scheduler);
        if (this.#epochToEnd !== null) {
          const lead = await this.#standForElection(this.#epochToEnd);
          if (lead !== null) {
            this.#workerProber.stop();
            return lead;
          }
          this.#epochToEnd = null;
          this.#parts.onLost();
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#parts.onTrouble(`${error.reason}: ${error.message}`);
        await this.#rest();
        continue;
      }
      if (this.#epochToEnd === null) await this.#rest();
    }
    return null;
  }

  /** Why the take-over under way cannot be committed at the moment; null if all is well. */
  get trouble(): string | null {
    return this.#takeOver?.trouble ?? null;
  }

  /** The candidate wants to end this epoch and lead the next one; `run` ends with the lead, or tells that it went to somebody else. */
  wantLead(epoch: number): void {
    this.#epochToEnd = epoch;
    this.#wake?.();
  }

  stop(): void {
    this.#isStopped = true;
    this.#takeOver?.stop();
    this.#wake?.();
  }

  /**
   * Puts the marker of the next epoch into the first free slot. From then on every older leader's entry is refused.
   * What lands there before us is read first; if it is somebody else's marker, the election is lost.
   */
  async #standForElection(epochToEnd: number): Promise<Lead | null> {
    const { store, clock, log, nonce, address, onEntry } = this.#parts;
    const follower = this.#follower;
    while (!this.#isStopped) {
      await follower.catchUp(onEntry);
      const { position } = follower;
      if (position.epoch > epochToEnd) return null;
      const epoch = position.epoch + 1;
      const marker = [{ kind: "marker", address }] as const;
      const entry = encodeEntry(position, { epoch, nonce }, clock.now(), marker);
      this.#takeOver = new Committer(store, clock, log);
      const end = await this.#takeOver.commit(entry);
      this.#takeOver = null;
      if (end === "stopped") return null;
      if (end === "committed") {
        onEntry({ seq: entry.seq, epoch, at: entry.at, writes: marker });
        return { scheduler: follower.scheduler, position: positionOf(entry) };
      }
    }
    return null;
  }

  async #rest(): Promise<void> {
    const { clock, settings } = this.#parts;
    await new Promise<void>((resolve) => {
      const timer = clock.at(clock.now() + settings.tailPollMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
  }
}
