/** The histories of single tasks, executions and workers, drawn out of a whole history once for all checkers. */
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { isFinal, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import { hashText } from "./hashText.ts";
import type { ExecutionEnd, History, LandedEntry, LedgerEvent } from "./ledger.ts";

/** One status of a task, as the journal has it. */
export interface Step {
  readonly status: TaskStatus;
  readonly entry: LandedEntry;
}

export interface Execution {
  readonly task: TaskId;
  readonly attempt: number;
  readonly worker: WorkerId;
  readonly boot: BootId;
  readonly token: string;
  readonly startOrder: number;
  readonly startedAt: number;
  /** All three are null while it runs. */
  readonly endOrder: number | null;
  readonly endedAt: number | null;
  readonly end: ExecutionEnd | null;
}

/** Reads something out of a history once, however many checkers ask for it. */
export function once<Value>(read: (history: History) => Value): (history: History) => Value {
  const known = new WeakMap<History, Value>();
  return (history) => {
    const before = known.get(history);
    if (before !== undefined) return before;
    const value = read(history);
    known.set(history, value);
    return value;
  };
}

/** Every status of every task, in the order of the journal. */
export const stepsByTask = once((history): ReadonlyMap<TaskId, readonly Step[]> => {
  const steps = new Map<TaskId, Step[]>();
  for (const entry of history.entries) {
    for (const write of entry.writes) {
      if (write.kind !== "status") continue;
      const own = steps.get(write.status.id) ?? [];
      steps.set(write.status.id, own);
      own.push({ status: write.status, entry });
    }
  }
  return steps;
});

/** True for the status by which a retry opened a finished task. */
export function isReopening({ status }: Step, before: TaskStatus | null): boolean {
  return before !== null && isFinal(before.state) && !isFinal(status.state);
}

/** The first spec of every task, and the entry that brought it. */
export const specs = once((history): ReadonlyMap<TaskId, { readonly spec: TaskSpec; readonly entry: LandedEntry }> => {
  const found = new Map<TaskId, { spec: TaskSpec; entry: LandedEntry }>();
  for (const entry of history.entries) {
    for (const write of entry.writes) {
      if (write.kind === "spec" && !found.has(write.spec.id)) found.set(write.spec.id, { spec: write.spec, entry });
    }
  }
  return found;
});

/** Tasks that the journal has forgotten, and the first entry that forgets each. */
export const forgotten = once((history): ReadonlyMap<TaskId, LandedEntry> => {
  const found = new Map<TaskId, LandedEntry>();
  for (const entry of history.entries) {
    for (const write of entry.writes) {
      if (write.kind === "forget-task" && !found.has(write.id)) found.set(write.id, entry);
    }
  }
  return found;
});

const texts = once((): Map<number, number> => new Map());

/** A number that stands for all that an entry writes. */
export function textOfEntry(history: History, seq: number): number | undefined {
  const known = texts(history).get(seq);
  if (known !== undefined) return known;
  const entry = history.entries[seq - 1];
  if (entry === undefined) return undefined;
  const text = entry.text ?? textOfWrites(entry.writes);
  texts(history).set(seq, text);
  return text;
}

export function textOfWrites(writes: LandedEntry["writes"]): number {
  return hashText(JSON.stringify(writes));
}

/** Every execution, in the order in which they were started. */
export const executions = once((history): readonly Execution[] => {
  const all: Execution[] = [];
  const open = new Map<string, number>();
  for (const event of history.events) {
    if (event.kind === "exec-start") {
      const { task, attempt, worker, boot, token, order, at } = event;
      open.set(token, all.length);
      all.push({
        task,
        attempt,
        worker,
        boot,
        token,
        startOrder: order,
        startedAt: at,
        endOrder: null,
        endedAt: null,
        end: null,
      });
    } else if (event.kind === "exec-end") {
      const index = open.get(event.token);
      const started = index === undefined ? undefined : all[index];
      if (index === undefined || started === undefined) continue;
      all[index] = { ...started, endOrder: event.order, endedAt: event.at, end: event.end };
    }
  }
  return all;
});

export const executionsByTask = once(
  (history): ReadonlyMap<TaskId, readonly Execution[]> =>
    Map.groupBy(executions(history), (execution) => execution.task),
);

const firstAppends = once((history): ReadonlyMap<string, Extract<LedgerEvent, { kind: "append" }>> => {
  // What gets no answer is handed over again, as it is.
  const handedOver = eventsOf(history, "append").toReversed();
  return new Map(handedOver.map((append) => [`${append.seq} ${append.epoch}`, append]));
});

/** How an entry was handed to the store for the first time. */
export function appendOf(history: History, { seq, epoch }: Pick<LandedEntry, "seq" | "epoch">) {
  return firstAppends(history).get(`${seq} ${epoch}`);
}

/** Every record of every worker, in the order of the journal. */
export const recordsByWorker = once(
  (history): ReadonlyMap<WorkerId, readonly { readonly record: WorkerRecord; readonly entry: LandedEntry }[]> => {
    const records = new Map<WorkerId, { record: WorkerRecord; entry: LandedEntry }[]>();
    for (const entry of history.entries) {
      for (const write of entry.writes) {
        if (write.kind !== "record" || write.collection !== "workers" || write.value === null) continue;
        const own = records.get(write.value.id) ?? [];
        records.set(write.value.id, own);
        own.push({ record: write.value, entry });
      }
    }
    return records;
  },
);

/** Events of one kind, in order. */
export function eventsOf<Kind extends LedgerEvent["kind"]>(
  history: History,
  kind: Kind,
): Extract<LedgerEvent, { kind: Kind }>[] {
  return (eventsByKind(history).get(kind) as Extract<LedgerEvent, { kind: Kind }>[] | undefined) ?? [];
}

const eventsByKind = once(
  (history): ReadonlyMap<string, LedgerEvent[]> => Map.groupBy(history.events, (event) => event.kind),
);

/** The last step of a task that was in the store before something of this `order` happened. */
export function stepBefore(history: History, task: TaskId, order: number): Step | undefined {
  return stepsByTask(history)
    .get(task)
    ?.findLast((step) => step.entry.order < order);
}

export function name(task: string, attempt: number): string {
  return `${task}/${attempt}`;
}

/** True if the worker serves the task's queue, can run its kind and carries the labels that it requires. Nobody runs a broadcast. */
export function canRun({ id, queues, kinds = ["sleep", "exec"], labels = [] }: WorkerRecord, spec: TaskSpec): boolean {
  const { queue, kind, requires = [], broadcast = false } = spec;
  const isThere = (label: string): boolean => labels.includes(label) || label === `worker=${id}`;
  return !broadcast && queues.includes(queue) && kinds.includes(kind) && requires.every(isThere);
}
