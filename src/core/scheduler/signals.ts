/** Signals of unfinished tasks: each is delivered once, to the first wait for its name, which may come later than the signal. */
import type { PendingSignal, SignalsRecord } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Batch } from "./effects.ts";
import type { RecordModule } from "./recordModule.ts";

export class Signals implements RecordModule<SignalsRecord> {
  readonly #byTask = new Map<string, SignalsRecord>();

  put(id: string, record: SignalsRecord | null): void {
    if (record === null) this.#byTask.delete(id);
    else this.#byTask.set(id, record);
  }

  recordOf(id: string): SignalsRecord | null {
    return this.#byTask.get(id) ?? null;
  }

  isKnown(task: TaskId, signal: string): boolean {
    const record = this.#byTask.get(task);
    return record?.delivered.includes(signal) === true || record?.pending.some(({ id }) => id === signal) === true;
  }

  pendingCount(task: TaskId): number {
    return this.#byTask.get(task)?.pending.length ?? 0;
  }

  add(batch: Batch, task: TaskId, signal: PendingSignal): void {
    const { pending, delivered } = this.#byTask.get(task) ?? { pending: [], delivered: [] };
    this.#write(batch, { task, pending: [...pending, signal], delivered });
  }

  /** The oldest signal of this name, which nobody else gets then; null if there is none. */
  take(batch: Batch, task: TaskId, name: string): PendingSignal | null {
    const record = this.#byTask.get(task);
    const signal = record?.pending.find((each) => each.name === name);
    if (record === undefined || signal === undefined) return null;
    const pending = record.pending.filter((each) => each !== signal);
    const delivered = [...record.delivered, signal.id].slice(-limits.signalsMax);
    this.#write(batch, { task, pending, delivered });
    return signal;
  }

  /** The task has ended. @returns the ids of those that were delivered to it */
  remove(batch: Batch, task: TaskId): readonly string[] {
    const { delivered = [] } = this.#byTask.get(task) ?? {};
    if (this.#byTask.delete(task))
      batch.out.writes.push({ kind: "record", collection: "signals", id: task, value: null });
    return delivered;
  }

  /** The task is open again: what was delivered to it before is not delivered once more. */
  restore(batch: Batch, task: TaskId, delivered: readonly string[]): void {
    if (delivered.length > 0) this.#write(batch, { task, pending: [], delivered });
  }

  #write(batch: Batch, record: SignalsRecord): void {
    this.#byTask.set(record.task, record);
    batch.out.writes.push({ kind: "record", collection: "signals", id: record.task, value: record });
  }
}
