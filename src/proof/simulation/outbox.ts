/** The disk of a worker's machine and the outbox on it: slow, torn by a crash between write and return, sometimes lost. */
import type { Incarnation } from "../../model/ids.ts";
import { attemptKey } from "../../model/ids.ts";
import type { AttemptRef, ResultItem } from "../../model/protocol.ts";
import type { Outbox, OutboxContent } from "../../ports/work.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What is left when the process is gone. */
export class WorkerDisk {
  readonly results = new Map<string, ResultItem>();
  epochMax = 0;
  incarnation: Incarnation | null = null;

  /** The machine was replaced: same name, nothing on it. */
  lose(): void {
    this.results.clear();
    this.epochMax = 0;
    this.incarnation = null;
  }
}

export class SimulatedOutbox implements Outbox {
  readonly #disk: WorkerDisk;
  readonly #process: Process;
  readonly #timeline: Timeline;
  readonly #random: Random;
  /** Writes reach the disk in the order they were asked for. */
  #freeAt = 0;

  constructor(disk: WorkerDisk, process: Process, timeline: Timeline, random: Random) {
    this.#disk = disk;
    this.#process = process;
    this.#timeline = timeline;
    this.#random = random;
  }

  async open(): Promise<OutboxContent> {
    await this.#process.sleep(this.#random.integer(0, 3));
    const { results, epochMax, incarnation } = this.#disk;
    return { results: [...results.values()], epochMax, incarnation };
  }

  put(results: readonly ResultItem[]): Promise<void> {
    return this.#write(() => {
      for (const result of results) this.#disk.results.set(attemptKey(result.task, result.attempt), result);
    });
  }

  remove(attempts: readonly AttemptRef[]): Promise<void> {
    return this.#write(() => {
      for (const { task, attempt } of attempts) this.#disk.results.delete(attemptKey(task, attempt));
    });
  }

  saveEpoch(incarnation: Incarnation, epoch: number): Promise<void> {
    return this.#write(() => {
      this.#disk.incarnation = incarnation;
      this.#disk.epochMax = epoch;
    });
  }

  async close(): Promise<void> {
    await this.#process.sleep(0);
  }

  /** A crash before the write is done leaves it undone; one between the write and the return leaves it done. */
  #write(change: () => void): Promise<void> {
    const doneAt = Math.max(this.#freeAt, this.#timeline.now + this.#random.spread(1, 20));
    this.#freeAt = doneAt;
    return new Promise((resolve) => {
      this.#timeline.after(doneAt - this.#timeline.now, () => {
        if (!this.#process.isAlive) return;
        change();
        this.#process.after(this.#random.integer(0, 2), resolve);
      });
    });
  }
}
