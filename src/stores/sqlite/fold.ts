/** What the view must hold according to the journal alone: worked out apart from the code that keeps the view. */
import { crc32 } from "node:zlib";
import { ownerOf } from "../../model/collections/table.ts";
import type { Write } from "../../model/entry.ts";

/** Checksums instead of texts, so that a journal of a million tasks fits into memory. Null: this journal does not say. */
export interface FoldedTask {
  spec: number | null;
  status: number | null;
  /** Of the entry with the last status. */
  seq: number;
}

export class Fold {
  /** Null for a task that was forgotten. */
  readonly tasks = new Map<string, FoldedTask | null>();
  /** By collection and id, as `recordKey` joins them. Null for a record that was removed. */
  readonly records = new Map<string, number | null>();
  readonly #recordsOfTasks = new Map<string, Set<string>>();

  apply(seq: number, writes: readonly Write[]): void {
    for (const write of writes) {
      switch (write.kind) {
        case "spec":
          this.#task(write.spec.id).spec = textSum(write.spec);
          break;
        case "status": {
          const task = this.#task(write.status.id);
          task.status = textSum(write.status);
          task.seq = seq;
          break;
        }
        case "forget-task":
          this.tasks.set(write.id, null);
          for (const key of this.#recordsOfTasks.get(write.id) ?? []) this.records.set(key, null);
          this.#recordsOfTasks.delete(write.id);
          break;
        case "record":
          this.#putRecord(recordKey(write.collection, write.id), write.id, write.value);
          break;
        case "reopen-task":
        case "digest":
        case "marker":
          break;
        default:
          write satisfies never;
      }
    }
  }

  #putRecord(key: string, id: string, value: unknown): void {
    this.records.set(key, value === null ? null : textSum(value));
    const owner = ownerOf(id);
    if (owner === null) return;
    const keys = this.#recordsOfTasks.get(owner.task) ?? new Set();
    this.#recordsOfTasks.set(owner.task, keys.add(key));
  }

  #task(id: string): FoldedTask {
    let task = this.tasks.get(id);
    if (task === undefined || task === null) {
      task = { spec: null, status: null, seq: 0 };
      this.tasks.set(id, task);
    }
    return task;
  }
}

/** Names one record among all collections, also for people. */
export function recordKey(collection: string, id: string): string {
  return `${id} of ${collection}`;
}

/** The same for a record from the journal and for one from a row. */
export function textSum(record: unknown): number {
  return crc32(JSON.stringify(record));
}
