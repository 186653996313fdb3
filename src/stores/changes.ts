/** What one entry means for a view: its writes in the order in which a driver may apply them, each record once. */
import type { OutgoingEntry } from "../model/entry.ts";
import type { TaskId, WorkerId } from "../model/ids.ts";
import type { TaskSpec, TaskStatus } from "../model/task.ts";

/** The last spec and the last status that an entry brings for one task, each beside its JSON text. */
export interface TaskChange {
  spec: TaskSpec | null;
  specText: string;
  status: TaskStatus | null;
  statusText: string;
}

/** Apply `forgottenTasks` first: a task that is created again within the same entry comes after its end. */
export interface Changes {
  readonly forgottenTasks: ReadonlySet<TaskId>;
  /** In the order of creation. */
  readonly tasks: ReadonlyMap<TaskId, TaskChange>;
  /** JSON texts; null where the record goes. */
  readonly workers: ReadonlyMap<WorkerId, string | null>;
  readonly queues: ReadonlyMap<string, string>;
}

/** Folds an entry, so that a task which is created, started and ended in one entry is written once. */
export function changesOf(entry: OutgoingEntry): Changes {
  const { writes, texts } = entry;
  if (writes.length !== texts.length)
    throw new Error(`Entry ${entry.seq} has ${writes.length} writes but ${texts.length} texts.`);
  const forgottenTasks = new Set<TaskId>();
  const tasks = new Map<TaskId, TaskChange>();
  const workers = new Map<WorkerId, string | null>();
  const queues = new Map<string, string>();
  for (const [index, write] of writes.entries()) {
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
        break;
      case "worker":
        workers.set(write.worker.id, text);
        break;
      case "forget-worker":
        workers.set(write.id, null);
        break;
      case "queue":
        queues.set(write.queue.name, text);
        break;
      case "marker":
      case "digest":
        break;
      default:
        write satisfies never;
    }
  }
  return { forgottenTasks, tasks, workers, queues };
}

function changeOf(tasks: Map<TaskId, TaskChange>, id: TaskId): TaskChange {
  let change = tasks.get(id);
  if (change === undefined) {
    change = { spec: null, specText: "", status: null, statusText: "" };
    tasks.set(id, change);
  }
  return change;
}

/** The broken promise that a status follows its spec, as an error: nothing of such an entry may be stored. */
export function withoutTask(entry: Pick<OutgoingEntry, "seq">, id: TaskId, missing: "spec" | "status"): Error {
  return new Error(`Entry ${entry.seq} changes the task ${id}, of which there is no ${missing}.`);
}
