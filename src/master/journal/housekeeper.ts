/** What a leader removes: finished tasks whose retention is over, with all that they leave behind, and journal entries that no master needs. */
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
  /** What has gone wrong in the last round. */
  #failures: ReadonlySet<string> = new Set();

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
    const now = this.#parts.clock.now();
    let isMore = false;
    const failures = new Set<string>();
    // Each by itself: what cannot be read must not let the rest pile up.
    for (const work of this.#works(now)) {
      if (this.#isStopped) return;
      try {
        if (await work()) isMore = true;
      } catch (error) {
        if (this.#isStopped) return;
        failures.add(this.#noteFailure(error));
      }
    }
    this.#failures = failures;
    // A backlog is worked off in small steps, between which others get their turn.
    this.#arm(isMore ? defaults.housekeepingStepMs : defaults.housekeepingMs);
  }

  #works(now: number): (() => Promise<boolean>)[] {
    const { store } = this.#parts;
    return [
      () => this.#forgetTasks(now),
      () => this.#forgetAudit(now),
      () => this.#compact(now),
      async () => (await store.sweep?.()) === true,
    ];
  }

  /** The wall clock at `now`; null while it may be far ahead: this master may have been started during such a time. */
  #wallAt(now: number): number | null {
    const isSettled = now - this.#startedAt >= this.#parts.settings.clockSettleMs;
    return isSettled ? now - this.#parts.clock.lagMs() : null;
  }

  /** @returns true if there may be more, as the two below */
  async #forgetTasks(now: number): Promise<boolean> {
    const { store, settings, forget } = this.#parts;
    const wallAt = this.#wallAt(now);
    const endedBefore = wallAt === null ? 0 : wallAt - settings.retentionMs;
    const pinned = [...this.#parts.pinned()];
    const bounds = { endedBefore, keepMax: settings.finishedTasksMax, ...(pinned.length > 0 && { pinned }) };
    const seq = this.#seq;
    const expired = await store.findExpired(bounds, limits.expiredPerStepMax);
    if (this.#isStopped) return false;
    // Families are forgotten whole. As long as any of what was handed over is on its way, nobody can tell whether more is too much.
    const isOnItsWay = expired.some(({ id }) => this.#handedOver.has(id));
    // What is still there after another look was refused, and may be due by now.
    const fresh = isOnItsWay ? [] : expired;
    this.#handedOver = new Set(fresh.map(({ id }) => id));
    if (fresh.length > 0) forget(fresh, seq);
    return expired.length === limits.expiredPerStepMax;
  }

  async #forgetAudit(now: number): Promise<boolean> {
    const { settings, forgetAudit } = this.#parts;
    const wallAt = this.#wallAt(now);
    const old = wallAt === null ? [] : await this.#findOldAudit(wallAt - settings.auditMs);
    if (this.#isStopped) return false;
    const fresh = old.filter((id) => !this.#auditHandedOver.has(id));
    this.#auditHandedOver = new Set(old);
    if (fresh.length > 0) forgetAudit(fresh);
    return old.length === limits.auditPerStepMax;
  }

  async #compact(now: number): Promise<boolean> {
    const most = limits.entriesPerCompactionMax;
    return (await this.#parts.store.compact(this.#seqToKeepFrom(now), most)) === most;
  }

  /** @returns what went wrong */
  #noteFailure(error: unknown): string {
    const { log } = this.#parts;
    const text = String(error);
    if (error instanceof StoreUnavailable) log.debug("housekeeping has to wait for the store", { error });
    // It is tried again and again; to say so once is enough.
    else if (!this.#failures.has(text)) log.error("housekeeping failed", { error });
    return text;
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
