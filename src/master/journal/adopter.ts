/**
 * Adopts tasks that somebody put straight into the store: a leader looks for them, and submits them like any client would. A look
 * begins only once the entries of the one before are in the view, so nothing is adopted twice.
 */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type ForeignTask, type Store, StoreUnavailable } from "../../ports/store.ts";

export interface AdopterParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Resolves once the tasks are committed. @throws OutlastError */
  readonly submit: (tasks: readonly ForeignTask[]) => Promise<readonly SubmittedTask[]>;
}

export class Adopter {
  readonly #parts: AdopterParts;
  #timer: Timer | null = null;
  #isStopped = false;
  #waitMs: number = defaults.adoptionMs;
  /** Tasks that were there already when they were submitted; found again, their documents are in the way. */
  #known = new Set<TaskId>();

  constructor(parts: AdopterParts) {
    this.#parts = parts;
  }

  /** Does nothing on a store that nobody else can put tasks into. */
  start(): void {
    if (this.#parts.store.findForeign !== undefined) this.#arm(defaults.adoptionStepMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { store, log } = this.#parts;
    let found: readonly ForeignTask[] = [];
    try {
      found = (await store.findForeign?.(limits.foreignPerLookMax)) ?? [];
      const clashing = found.filter(({ id }) => this.#known.has(id)).map(({ id }) => id);
      if (clashing.length > 0 && !this.#isStopped) await store.rejectForeign?.(clashing);
      this.#known = new Set();
      await this.#adopt(found.filter(({ id }) => !clashing.includes(id)));
    } catch (error) {
      if (this.#isStopped) return;
      // Not led any more, or no commit at the moment: the next look is made by whoever leads then.
      const isExpected = error instanceof StoreUnavailable || error instanceof OutlastError;
      if (isExpected) log.debug("adoption has to wait", { error });
      else log.error("adoption failed", { error });
      found = [];
    }
    // Slower and slower while there is nothing.
    this.#waitMs = found.length > 0 ? defaults.adoptionMs : Math.min(2 * this.#waitMs, defaults.adoptionMsMax);
    this.#arm(found.length > 0 ? defaults.adoptionStepMs : this.#waitMs);
  }

  /** In small batches, so that others get their turn in between. */
  async #adopt(tasks: readonly ForeignTask[]): Promise<void> {
    const { log } = this.#parts;
    for (let start = 0; start < tasks.length && !this.#isStopped; start += limits.foreignPerSubmitMax) {
      const some = tasks.slice(start, start + limits.foreignPerSubmitMax);
      try {
        await this.#submit(some);
      } catch (error) {
        if (!(error instanceof OutlastError) || error.code !== "conflict") throw error;
        for (const task of some) await this.#submitAlone(task);
      }
    }
    if (tasks.length > 0) log.info("adopted tasks from the store", { tasks: tasks.length - this.#known.size });
  }

  async #submit(tasks: readonly ForeignTask[]): Promise<void> {
    for (const { id, isNew } of await this.#parts.submit(tasks)) if (!isNew) this.#known.add(id);
  }

  async #submitAlone(task: ForeignTask): Promise<void> {
    try {
      await this.#submit([task]);
    } catch (error) {
      if (!(error instanceof OutlastError) || error.code !== "conflict") throw error;
      this.#known.add(task.id);
    }
  }

  #arm(waitMs: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#parts;
    this.#timer = clock.at(clock.now() + waitMs, () => void this.#look());
  }
}
