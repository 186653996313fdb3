/** What a leader removes: finished tasks whose retention is over, and journal entries that no master needs. */
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { auditIdBefore } from "../../model/principals/audit.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type ExpiredTask, type Store, StoreUnavailable } from "../../ports/store.ts";

export interface HousekeepingSettings {
  /** Finished tasks are kept this long, with their output and logs. */
  readonly retentionMs: number;
  /** No task expires by its age before this leader has led for so long. */
  readonly clockSettleMs: number;
  /** Of more finished tasks than this, the oldest go. */
  readonly finishedTasksMax: number;
  /** Audit records are kept this long. */
  readonly auditMs: number;
  /** Entries are kept this long for streams that resume, however far the masters are. */
  readonly journalMs: number;
  /** Of more bytes of entries than this, the oldest go, as far as the masters are. */
  readonly journalBytesMax: number;
}

export interface HousekeeperParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: HousekeepingSettings;
  /** Roots of ended families that unfinished tasks still need. */
  readonly pinned: () => Iterable<TaskId>;
  /** Entries below this are needed by no master. */
  readonly seqOfSlowest: () => number;
  /** Hands expired tasks to the scheduler: they go through the journal like every change. They were found behind entry `seq`. */
  readonly forget: (tasks: readonly ExpiredTask[], seq: number) => void;
  /** The same for audit records. */
  readonly forgetAudit: (ids: readonly string[]) => void;
}

/** Where the journal stood at some instant of this term. */
interface Sample {
  readonly at: number;
  readonly seq: number;
  /** Bytes of entries written in this term up to then. */
  readonly bytes: number;
}

export class Housekeeper {
  readonly #parts: HousekeeperParts;
  #timer: Timer | null = null;
  readonly #startedAt: number;
  #isStopped = false;
  #samples: Sample[] = [];
  /** The tasks that the last look at the store handed over. */
  #handedOver: ReadonlySet<TaskId> = new Set();
  #auditHandedOver: ReadonlySet<string> = new Set();
  #bytes = 0;
  #seq = 0;

  constructor(parts: HousekeeperParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
  }

  start(): void {
    this.#arm(defaults.housekeepingMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Sees each entry that this leader commits. */
  note(seq: number, bytes: number): void {
    this.#seq = seq;
    this.#bytes += bytes;
  }

  async #clean(): Promise<void> {
    const { store, clock, log, settings, forget, forgetAudit } = this.#parts;
    let isMore = false;
    try {
      const now = clock.now();
      // A clock that may be far ahead lets nothing expire: this master may have been started during such a time.
      const isSettled = now - this.#startedAt >= settings.clockSettleMs;
      const endedBefore = isSettled ? now - clock.lagMs() - settings.retentionMs : 0;
      const pinned = [...this.#parts.pinned()];
      const bounds = { endedBefore, keepMax: settings.finishedTasksMax, ...(pinned.length > 0 && { pinned }) };
      const seq = this.#seq;
      const expired = await store.findExpired(bounds, limits.expiredPerStepMax);
      if (this.#isStopped) return;
      // What was handed over a moment ago is on its way; what is still there after another look was refused, and may be due by now.
      const fresh = expired.filter(({ id }) => !this.#handedOver.has(id));
      this.#handedOver = new Set(fresh.map(({ id }) => id));
      if (fresh.length > 0) forget(fresh, seq);
      const oldAudit = isSettled ? await this.#findOldAudit(now - clock.lagMs() - settings.auditMs) : [];
      if (this.#isStopped) return;
      const freshAudit = oldAudit.filter((id) => !this.#auditHandedOver.has(id));
      this.#auditHandedOver = new Set(oldAudit);
      if (freshAudit.length > 0) forgetAudit(freshAudit);
      const compacted = await store.compact(this.#seqToKeepFrom(now), limits.entriesPerCompactionMax);
      isMore =
        expired.length === limits.expiredPerStepMax ||
        oldAudit.length === limits.auditPerStepMax ||
        compacted === limits.entriesPerCompactionMax;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.debug("housekeeping has to wait for the store", { error });
    }
    // A backlog is worked off in small steps, between which others get their turn.
    this.#arm(isMore ? defaults.housekeepingStepMs : defaults.housekeepingMs);
  }

  /** Ids of the audit record count down with time, so that what is older follows what is younger. */
  async #findOldAudit(before: number): Promise<readonly string[]> {
    if (before <= 0) return [];
    const query = { after: auditIdBefore(before), limit: limits.auditPerStepMax };
    const { records } = await this.#parts.store.listRecords("audit", query);
    return records.map(({ id }) => id);
  }

  #seqToKeepFrom(now: number): number {
    const { settings, seqOfSlowest } = this.#parts;
    this.#samples.push({ at: now, seq: this.#seq, bytes: this.#bytes });
    const isOld = (sample: Sample): boolean =>
      now - sample.at > settings.journalMs || this.#bytes - sample.bytes > settings.journalBytesMax;
    const firstYoung = this.#samples.findIndex((sample) => !isOld(sample));
    // The last old sample stays: everything up to it may go.
    if (firstYoung > 1) this.#samples = this.#samples.slice(firstYoung - 1);
    const oldest = this.#samples[0];
    if (oldest === undefined || !isOld(oldest)) return 0;
    return Math.min(oldest.seq, seqOfSlowest());
  }

  #arm(waitMs: number): void {
    if (this.#isStopped) return;
    const { clock, log } = this.#parts;
    this.#timer = clock.at(clock.now() + waitMs, () => {
      this.#clean().catch((error: unknown) => log.error("housekeeping failed", { error }));
    });
  }
}
