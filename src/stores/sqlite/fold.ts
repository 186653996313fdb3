/** What the view must hold according to the journal alone: worked out apart from the code that keeps the view. */
import { crc32 } from "node:zlib";
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
  readonly workers = new Map<string, number | null>();
  readonly queues = new Map<string, number>();

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
          break;
        case "worker":
          this.workers.set(write.worker.id, textSum(write.worker));
          break;
        case "forget-worker":
          this.workers.set(write.id, null);
          break;
        case "queue":
          this.queues.set(write.queue.name, textSum(write.queue));
          break;
        case "digest":
        case "marker":
          break;
        default:
          write satisfies never;
      }
    }
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

/** The same for a record from the journal and for one from a row. */
export function textSum(record: unknown): number {
  return crc32(JSON.stringify(record));
}
