/** Reads for the scheduler the records of attempts that were given up, once their processes have ended, and completes them. */
import type { ProcessEnd, SchedulerEffect } from "../../core/scheduler/effects.ts";
import { type AttemptRecord, attemptRecordId } from "../../model/attemptRecord.ts";
import type { WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";
import type { Inbox } from "./inbox.ts";

export interface AttemptReaderParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly inbox: Inbox;
}

type LookUp = Extract<SchedulerEffect, { kind: "look-up-attempts" }>;

export class AttemptReader {
  readonly #parts: AttemptReaderParts;
  /** What is still to be read, in order; one record at a time, since nobody waits for it. */
  #waiting: LookUp[] = [];
  #isReading = false;

  constructor(parts: AttemptReaderParts) {
    this.#parts = parts;
  }

  /** The term is over. What was not read by then does not become known. */
  clear(): void {
    this.#waiting = [];
  }

  /** Of more than it can remember, the latest are dropped: nothing is decided by the records. */
  read(effect: LookUp): void {
    const count = this.#waiting.reduce((sum, { ends }) => sum + ends.length, 0);
    if (count + effect.ends.length > limits.processEndsMax) return;
    this.#waiting.push(effect);
    if (!this.#isReading) void this.#readAll();
  }

  async #readAll(): Promise<void> {
    this.#isReading = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      for (const end of next.ends) {
        const record = await this.#recordOf(next, end);
        // Another term has begun, or none leads.
        if (this.#waiting[0] !== next) break;
        if (record !== null && isCompletedBy(record, end, next.worker)) this.#complete(next, end, record);
      }
      if (this.#waiting[0] === next) this.#waiting.shift();
    }
    this.#isReading = false;
  }

  #complete({ seq }: LookUp, { task, endedAt }: ProcessEnd, record: AttemptRecord): void {
    const completed = { ...record, processEndedAt: endedAt };
    this.#parts.inbox.push({ kind: "process-ended", task, seq, record: completed });
  }

  /** While the store cannot be read, it is tried again. */
  async #recordOf(effect: LookUp, { task, attempt }: ProcessEnd): Promise<AttemptRecord | null> {
    const { store, clock, log } = this.#parts;
    while (this.#waiting[0] === effect) {
      try {
        return await store.readRecord("attempts", attemptRecordId(task, attempt));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        log.warn("cannot read from the store the record of an attempt whose process has ended; it waits", { error });
      }
      await new Promise<void>((resolve) => clock.at(clock.now() + defaults.commitRetryMsMax, resolve));
    }
    return null;
  }
}

/** Not one of an earlier task with the id, nor one that this end is known of, or that has ended with its process. */
function isCompletedBy(record: AttemptRecord, { assignedAt, endedAt }: ProcessEnd, worker: WorkerId): boolean {
  const isMeant = record.worker === worker && record.assignedAt === assignedAt;
  return isMeant && record.processEndedAt === undefined && record.endedAt !== endedAt;
}
