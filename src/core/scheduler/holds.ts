/** Dying attempts that still count for a limit of their queue or for a key, or still have a job to stop: until their worker reports their end, or is lost. */
import type { DyingHold } from "../../model/collections/dyingHolds.ts";
import type { BootId, WorkerId } from "../../model/ids.ts";
import type { AbortedAttempt, IssuedAttempt } from "../../model/protocol.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { Batch } from "./effects.ts";
import { keyGroup } from "./keyGroups.ts";
import type { Lanes } from "./lanes.ts";
import type { LiveTask } from "./liveTask.ts";
import type { Queues } from "./queues.ts";
import type { RecordModule } from "./recordModule.ts";

export class Holds implements RecordModule<DyingHold> {
  readonly #byId = new Map<string, DyingHold>();
  readonly #queues: Queues;
  readonly #lanes: Lanes;

  constructor(queues: Queues, lanes: Lanes) {
    this.#queues = queues;
    this.#lanes = lanes;
  }

  put(id: string, value: DyingHold | null): void {
    const before = this.#byId.get(id);
    if (before !== undefined) this.#count(before, -1);
    this.#byId.delete(id);
    if (value === null) return;
    this.#byId.set(id, value);
    this.#count(value, 1);
  }

  recordOf(id: string): DyingHold | null {
    return this.#byId.get(id) ?? null;
  }

  [Symbol.iterator](): Iterator<DyingHold> {
    return this.#byId.values();
  }

  /** The current attempt of the task has been aborted on its worker; its process is still to end. */
  add(batch: Batch, task: LiveTask): void {
    const { queue, key, uniqueKey } = task;
    if (queue.concurrencyMax !== null || key !== null || uniqueKey !== null) this.#add(batch, task, {});
  }

  /** The same attempt stops a job of a service; should its worker be lost before, this task does. */
  addStop(batch: Batch, task: LiveTask, stop: TaskSpec): void {
    this.#add(batch, task, { stop });
  }

  #add(batch: Batch, task: LiveTask, stop: Pick<DyingHold, "stop">): void {
    const { run, issued, queue, key, uniqueKey } = task;
    if (run === null) return;
    const { host: worker, boot } = run;
    const keys = { ...(key !== null && { key }), ...(uniqueKey !== null && { uniqueKey }) };
    const value = { ...issued, worker, boot, queue: queue.name, ...keys, ...stop };
    this.#write(batch, this.#idOf(issued), value);
  }

  /** The worker reports that this attempt has ended, or that it never had it. @returns what stops its job, if the worker has not done so */
  end(batch: Batch, worker: WorkerId, attempt: IssuedAttempt): TaskSpec[] {
    const stops: TaskSpec[] = [];
    for (const id of this.#idsOf(worker, attempt)) {
      const { stop } = this.#byId.get(id) ?? {};
      this.#write(batch, id, null);
      if (stop !== undefined) stops.push(stop);
    }
    return stops;
  }

  /** The worker is gone, and what it ran with it. @returns what stops the jobs that it leaves behind */
  endOf(batch: Batch, worker: WorkerId): TaskSpec[] {
    const stops: TaskSpec[] = [];
    for (const [id, hold] of this.#byId) {
      if (hold.worker !== worker) continue;
      this.#write(batch, id, null);
      if (hold.stop !== undefined) stops.push(hold.stop);
    }
    return stops;
  }

  /** Attempts on this boot of the worker. */
  *of({ id, boot }: { readonly id: WorkerId; readonly boot: BootId }): Generator<AbortedAttempt> {
    for (const { task, attempt, assignedAt, worker, boot: itsBoot } of this.#byId.values())
      if (worker === id && itsBoot === boot) yield { task, attempt, ...(assignedAt !== undefined && { assignedAt }) };
  }

  #idsOf(worker: WorkerId, issued: IssuedAttempt): string[] {
    const { task, attempt, assignedAt } = issued;
    if (assignedAt > 0) return [this.#idOf(issued)].filter((id) => this.#byId.has(id));
    // It never had an attempt of this task with this number, whenever it was given out.
    const isMeant = (hold: DyingHold) => hold.worker === worker && hold.task === task && hold.attempt === attempt;
    return [...this.#byId].filter(([, hold]) => isMeant(hold)).map(([each]) => each);
  }

  /** That of an attempt tells when it was given out where one of an earlier task with its id, which is forgotten, is still dying. */
  #idOf({ task, attempt, assignedAt }: IssuedAttempt): string {
    // An attempt's number holds no dot.
    const id = `${task}.${attempt}`;
    const longId = `${id}.${assignedAt}`;
    if (this.#byId.has(longId)) return longId;
    // Older versions leave it out.
    const { assignedAt: ofHold = assignedAt } = this.#byId.get(id) ?? {};
    return ofHold === assignedAt ? id : longId;
  }

  #write(batch: Batch, id: string, value: DyingHold | null): void {
    batch.out.writes.push({ kind: "record", collection: "dyingHolds", id, value });
    this.put(id, value);
  }

  #count({ queue: name, key, uniqueKey }: DyingHold, by: 1 | -1): void {
    const queue = this.#queues.open(name);
    queue.dying += by;
    if (key !== undefined) this.#lanes.countKey(keyGroup(name, key), by);
    if (uniqueKey !== undefined) this.#lanes.countUnique(keyGroup(name, uniqueKey), by);
    this.#lanes.refresh(queue);
    this.#queues.dropIfUnused(queue);
  }
}
