/**
 * Writes results, forgotten results and epochs to the outbox in the order in which the Agent asks, and retries when the disk
 * refuses. The Agent is told while it does, and while it does not answer.
 */
import type { AgentInput } from "../../core/agent/inputs.ts";
import { attemptKey, type Incarnation } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { AttemptRef, ResultItem } from "../../model/protocol.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Outbox } from "../../ports/work.ts";

interface RetryWaits {
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
}

const unanswered = "it does not answer";

export class OutboxWriter {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waits: RetryWaits;
  readonly #tell: (input: AgentInput) => void;
  /** What has come since the last write began: one write takes all of it. */
  #results: ResultItem[] = [];
  #settled: AttemptRef[] = [];
  #epoch: { readonly incarnation: Incarnation; readonly epoch: number } | null = null;
  #writing: Promise<void> | null = null;
  #pause: { readonly timer: Timer; readonly resume: () => void } | null = null;
  #isClosed = false;
  /** The Agent was told that the disk does not take what it should. */
  #isTroubled = false;

  constructor(outbox: Outbox, clock: Clock, log: Log, waits: RetryWaits, tell: (input: AgentInput) => void) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#log = log;
    this.#waits = waits;
    this.#tell = tell;
  }

  persist(result: ResultItem): void {
    this.#results.push(result);
    this.#begin();
  }

  forget(attempts: readonly AttemptRef[]): void {
    for (const ref of attempts) this.#settled.push(ref);
    this.#begin();
  }

  saveEpoch(incarnation: Incarnation, epoch: number): void {
    this.#epoch = { incarnation, epoch };
    this.#begin();
  }

  /** Resolves when no write is under way. What the disk refused until now is given up. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pause?.timer.cancel();
    this.#pause?.resume();
    await this.#writing;
  }

  #begin(): void {
    if (this.#isClosed) return;
    this.#writing ??= this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    // What else arises in this turn goes with the first write.
    await Promise.resolve();
    let failures = 0;
    while (this.#hasWork && !this.#isClosed) {
      const late = this.#clock.at(this.#clock.now() + defaults.outboxWaitMs, () => this.#complain(unanswered));
      try {
        await this.#writeOnce();
        this.#recover(failures);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#complain(error);
        await this.#sleep(Math.min(this.#waits.retryMaxMs, this.#waits.retryBaseMs * 2 ** Math.min(failures - 1, 30)));
      } finally {
        late.cancel();
      }
    }
    // In the same turn as the last look for work: what comes later begins a new round.
    this.#writing = null;
  }

  #complain(error: unknown): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#log.error("the outbox cannot be written; results wait in memory", { error });
    const reason = error instanceof Error ? error.message : String(error);
    this.#tell({ kind: "disk", trouble: `Results cannot be written to disk: ${reason}` });
  }

  #recover(failures: number): void {
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#log.info("the outbox can be written again", { failures });
    this.#tell({ kind: "disk", trouble: null });
  }

  get #hasWork(): boolean {
    return this.#results.length > 0 || this.#settled.length > 0 || this.#epoch !== null;
  }

  async #writeOnce(): Promise<void> {
    const epoch = this.#epoch;
    if (epoch !== null) {
      await this.#outbox.saveEpoch(epoch.incarnation, epoch.epoch);
      if (this.#epoch === epoch) this.#epoch = null;
      this.#tell({ kind: "epoch-saved", ...epoch });
    }
    const results = this.#results;
    // A result takes the place of the one under its name, which was that of a forgotten task with its id.
    const replaced = new Set(results.map(({ task, attempt }) => attemptKey(task, attempt)));
    const settled = this.#settled.filter(({ task, attempt }) => !replaced.has(attemptKey(task, attempt)));
    this.#results = [];
    this.#settled = [];
    try {
      // Begun together, so that the outbox can make one write of them.
      const isKept = results.length > 0 ? this.#outbox.put(results) : null;
      const isForgotten = settled.length > 0 ? this.#outbox.remove(settled) : null;
      await Promise.all([isKept, isForgotten]);
    } catch (error) {
      // Writing any of it twice is harmless.
      this.#results = results.concat(this.#results);
      this.#settled = settled.concat(this.#settled);
      throw error;
    }
    if (results.length > 0) this.#tell({ kind: "persisted", attempts: results });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        this.#pause = null;
        resolve();
      };
      this.#pause = { timer: this.#clock.at(this.#clock.now() + ms, resume), resume };
      if (this.#isClosed) resume();
    });
  }
}
