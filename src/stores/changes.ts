/** What one entry means for a view: its writes in the order in which a driver may apply them, each record once. */
import {
  type CollectionName,
  type CollectionVersions,
  descriptorOf,
  isCollection,
  ownerOf,
} from "../model/collections/table.ts";
import type { OutgoingEntry } from "../model/entry.ts";
import type { TaskId } from "../model/ids.ts";
import type { TaskSpec, TaskStatus } from "../model/task.ts";

/** The last spec and the last status that an entry brings for one task, each beside its JSON text. */
export interface TaskChange {
  readonly id: TaskId;
  spec: TaskSpec | null;
  specText: string;
  status: TaskStatus | null;
  statusText: string;
}

/** What becomes of one record. */
export interface RecordChange {
  readonly collection: CollectionName;
  readonly id: string;
  /** The JSON text of its value; null where it is removed. */
  readonly text: string | null;
  /** The instant by which its collection is also found; null if it is not. */
  readonly instant: number | null;
}

/**
 * Apply `forgottenTasks` first, with all records that belong to them: a task that is created again within the same entry comes
 * after its end. Then `tasks`, then `records`: a record may belong to a task of the same entry.
 */
export interface Changes {
  readonly forgottenTasks: ReadonlySet<TaskId>;
  /** In the order of creation. */
  readonly tasks: ReadonlyMap<TaskId, TaskChange>;
  readonly records: readonly RecordChange[];
  /** What the last marker in it lists; null if there is none. */
  readonly collections: CollectionVersions | null;
}

/** Folds an entry, so that a task which is created, started and ended in one entry is written once. */
export function changesOf(entry: OutgoingEntry): Changes {
  const { writes, texts } = entry;
  if (writes.length !== texts.length)
    throw new Error(`Entry ${entry.seq} has ${writes.length} writes but ${texts.length} texts.`);
  const forgottenTasks = new Set<TaskId>();
  const tasks = new Map<TaskId, TaskChange>();
  const records = new Map<string, RecordChange>();
  let collections: CollectionVersions | null = null;
  writes.forEach((write, index) => {
    const text = texts[index] ?? "";
    switch (write.kind) {
      case "spec": {
        const change = changeOf(tasks, write.spec.id);
        change.spec = write.spec;
        change.specText = text;
        break;
      }
      case "status": {
        const change = changeOf(tasks, write.status.id);
        change.status = write.status;
        change.statusText = text;
        break;
      }
      case "forget-task":
        tasks.delete(write.id);
        forgottenTasks.add(write.id);
        for (const [key, { id }] of records) if (ownerOf(id)?.task === write.id) records.delete(key);
        break;
      case "record": {
        const { collection, id, value } = write;
        const change = { collection, id, text: value === null ? null : text };
        records.set(`${collection} ${id}`, { ...change, instant: instantOf(collection, value) });
        break;
      }
      case "marker":
        collections = write.collections;
        break;
      // The status that comes with it says all.
      case "reopen-task":
      case "digest":
        break;
      default:
        write satisfies never;
    }
  });
  return { forgottenTasks, tasks, records: [...records.values()], collections };
}

function changeOf(tasks: Map<TaskId, TaskChange>, id: TaskId): TaskChange {
  let change = tasks.get(id);
  if (change === undefined) {
    change = { id, spec: null, specText: "", status: null, statusText: "" };
    tasks.set(id, change);
  }
  return change;
}

/** The instant by which stores find a record of this collection; null for one that is not there, or not found by time. */
export function instantOf(collection: string, value: unknown): number | null {
  if (value === null || !isCollection(collection)) return null;
  return descriptorOf(collection).instantOf?.(value) ?? null;
}

/** The broken promise that a task is there before its status and its records, as an error: nothing of such an entry may be stored. */
export function withoutTask(entry: Pick<OutgoingEntry, "seq">, id: string, missing: "spec" | "status"): Error {
  return new Error(`Entry ${entry.seq} changes the task ${id}, of which there is no ${missing}.`);
}
