/** All workers, and the timers of their silences. */
import type { WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import { Heap } from "../heap.ts";
import type { Batch } from "./effects.ts";
import type { Lanes } from "./lanes.ts";
import { LiveWorker } from "./liveWorker.ts";
import type { RecordModule } from "./recordModule.ts";

export class Workers implements RecordModule<WorkerRecord> {
  readonly #byId = new Map<WorkerId, LiveWorker>();
  readonly #lanes: Lanes;
  #losses = 0;
  readonly #timers = new Heap<LiveWorker>((a, b) => a.wakeAt < b.wakeAt || (a.wakeAt === b.wakeAt && a.id < b.id));

  constructor(lanes: Lanes) {
    this.#lanes = lanes;
  }

  get(id: WorkerId): LiveWorker | undefined {
    return this.#byId.get(id);
  }

  /** How often workers that are known here have died, in all. */
  get losses(): number {
    return this.#losses;
  }

  get size(): number {
    return this.#byId.size;
  }

  [Symbol.iterator](): Iterator<LiveWorker> {
    return this.#byId.values();
  }

  /** Takes a record that the journal has. Whether the worker is there now has yet to be seen. */
  put(id: string, record: WorkerRecord | null, now: number): void {
    if (record === null) return this.forget(id as WorkerId);
    const worker = this.#take(record, now);
    worker.state = record.state === "connected" ? "suspect" : record.state;
  }

  recordOf(id: string): WorkerRecord | null {
    const worker = this.#byId.get(id as WorkerId);
    if (worker === undefined) return null;
    const state = worker.state === "lost" || worker.state === "gone" ? worker.state : "connected";
    return { ...worker.record, state };
  }

  #take(record: WorkerRecord, now: number): LiveWorker {
    const known = this.#byId.get(record.id);
    this.#losses += (record.losses ?? 0) - (known?.record.losses ?? 0);
    if (known === undefined) {
      const worker = new LiveWorker(record, this.#lanes, now);
      this.#byId.set(record.id, worker);
      return worker;
    }
    // One that was given up and comes back all the same must be found alive there anew.
    const isElsewhere = record.probe === undefined || !known.listensAt(record.boot, record.probe);
    if (isElsewhere || record.state === "lost") known.isProbeTrusted = false;
    known.record = record;
    return known;
  }

  /** A process of this worker is dead. Must be followed by a `write` of its record. */
  countLoss(worker: LiveWorker): void {
    worker.record = { ...worker.record, losses: (worker.record.losses ?? 0) + 1 };
    this.#losses += 1;
  }

  /** Puts a record in its place and writes it down. */
  write(batch: Batch, record: WorkerRecord): LiveWorker {
    batch.out.writes.push({ kind: "record", collection: "workers", id: record.id, value: record });
    return this.#take(record, batch.now);
  }

  forget(id: WorkerId): void {
    const worker = this.#byId.get(id);
    if (worker === undefined) return;
    this.#byId.delete(id);
    this.#losses -= worker.record.losses ?? 0;
    this.stopTimer(worker);
    worker.isOpen = false;
  }

  /** Makes room for one more worker by forgetting the one that has been away longest; false if all of them are needed. */
  makeRoom(batch: Batch): boolean {
    if (this.#byId.size < limits.workersMax) return true;
    let oldest: LiveWorker | undefined;
    for (const worker of this.#byId.values()) {
      if (!worker.isGivenUp || worker.tasks.size > 0) continue;
      if (oldest === undefined || worker.record.changedAt < oldest.record.changedAt) oldest = worker;
    }
    if (oldest === undefined) return false;
    this.remove(batch, oldest);
    return true;
  }

  /** Forgets a worker that was given up, and writes that down. */
  remove(batch: Batch, { id }: LiveWorker): void {
    batch.out.writes.push({ kind: "record", collection: "workers", id, value: null });
    this.forget(id);
  }

  wakeAt(worker: LiveWorker, at: number): void {
    this.stopTimer(worker);
    worker.wakeAt = at;
    this.#timers.push(worker);
  }

  stopTimer(worker: LiveWorker): void {
    if (worker.heapIndex !== -1) this.#timers.remove(worker);
  }

  get nextWakeAt(): number | null {
    return this.#timers.peek()?.wakeAt ?? null;
  }

  popDue(now: number): LiveWorker | undefined {
    const worker = this.#timers.peek();
    if (worker === undefined || worker.wakeAt > now) return undefined;
    this.#timers.remove(worker);
    return worker;
  }
}
