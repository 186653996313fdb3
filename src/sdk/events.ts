/** The stream of committed changes, resumed by itself when it is cut. */
import { OutlastError } from "../model/errors.ts";
import type { TaskSpec, TaskState, TaskStatus } from "../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../model/worker.ts";
import type { Call, Connection } from "./connection.ts";
import { resumedStream } from "./serverEvents.ts";

/** A task after a change. What never changes comes with its first event only. */
export interface TaskChange extends TaskStatus, Partial<Pick<TaskSpec, "name" | "queue" | "createdAt" | "startAt">> {}

interface Place {
  /** The journal entry that the change stands in. */
  readonly seq: number;
  /** When it was decided, in ms since 1970. */
  readonly at: number;
}

/** One committed change, in the order of the journal. */
export type OutlastEvent =
  | ({ readonly kind: "task"; readonly task: TaskChange } & Place)
  | ({ readonly kind: "worker"; readonly worker: WorkerRecord } & Place)
  | ({ readonly kind: "queue"; readonly queue: QueueRecord } & Place)
  /** A finished task or a worker that is gone has outlived its retention. */
  | ({ readonly kind: "forgotten"; readonly what: "task" | "worker"; readonly id: string } & Place)
  | ({ readonly kind: "leader"; readonly epoch: number; readonly address: string } & Place)
  /** Changes were missed: the journal no longer reaches back to where the stream was cut. Look again at what you follow. */
  | { readonly kind: "reset"; readonly seq: number };

export interface EventsOptions {
  /** Everything after this journal entry; from now on if left out. */
  readonly after?: number;
  /** Only changes of these tasks, at most `limits.eventTasksMax` (5000). */
  readonly tasks?: readonly string[];
  /** Only changes of tasks to one of these states. */
  readonly states?: readonly TaskState[];
  /** Only changes of tasks of the family that this task belongs to: children, theirs, and so on. */
  readonly family?: string;
  readonly signal?: AbortSignal;
}

/** As `OutlastEvent`, with a mark for each time the stream was opened: from then on nothing is missed. */
export type EventOrOpened = OutlastEvent | { readonly kind: "opened" };

export async function* eventsWithOpenings(
  connection: Connection,
  options: EventsOptions,
): AsyncGenerator<EventOrOpened, void, undefined> {
  /** The last journal entry that has been told whole. */
  let after = options.after ?? (await presentSeq(connection, options.signal));
  /** How many events of the entry behind it have been told: a resumed stream begins with that entry again. */
  let told = 0;
  let toSkip = 0;
  const filter = filterOf(options);
  const stream = resumedStream(connection, () => ({
    ...filter,
    path: `/v1/events?after=${after}`,
    signal: options.signal,
  }));
  for await (const item of stream) {
    switch (item.kind) {
      case "opened":
        toSkip = told;
        yield item;
        break;
      case "place":
        if (/^\d+$/.test(item.id)) after = Number(item.id);
        told = 0;
        toSkip = 0;
        break;
      case "event": {
        const event = toEvent(item.event, item.data);
        if (event?.kind === "reset") {
          // It comes in place of the entry that was to be sent again: nothing is to be skipped.
          after = event.seq;
          told = 0;
          toSkip = 0;
        } else if (toSkip > 0) {
          toSkip--;
          break;
        } else told++;
        if (event !== null) yield event;
        break;
      }
      default:
        item satisfies never;
    }
  }
}

/** The master sends only what matches, so that a wait costs nothing that grows with what others do. */
function filterOf({ tasks, states, family }: EventsOptions): Pick<Call, "method" | "body"> {
  if (tasks === undefined && states === undefined && family === undefined) return { method: "GET" };
  return { method: "POST", body: JSON.stringify({ tasks, states, family }) };
}

/** A master of an earlier version does not know filters. */
export function isFilterUnknown(error: unknown): boolean {
  return error instanceof OutlastError && ["method-not-allowed", "bad-request", "invalid"].includes(error.code);
}

/** The journal position, each time after something was committed, but at most a few times a second. */
export async function* positionsOf(
  connection: Connection,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, void, undefined> {
  try {
    for await (const item of resumedStream(connection, () => ({ path: "/v1/events?positions=true", signal }))) {
      // What was committed while no stream was open is not announced.
      if (item.kind === "opened") yield await presentSeq(connection, signal, Number.POSITIVE_INFINITY);
      else if (item.kind === "place") yield Number(item.id);
    }
  } catch (error) {
    if (!isFilterUnknown(error)) throw error;
    for await (const event of eventsWithOpenings(connection, signal === undefined ? {} : { signal })) {
      if (event.kind !== "opened") yield event.seq;
    }
  }
}

/** "From now on" needs a number too: else a stream that is cut before it has told anything would be resumed at a later place. */
async function presentSeq(
  connection: Connection,
  signal: AbortSignal | undefined,
  retryForMs?: number,
): Promise<number> {
  return (await connection.json<{ seq: number }>({ method: "GET", path: "/v1/status", signal, retryForMs })).seq;
}

/** Events of kinds that this version does not know are passed over: a newer master may send them. */
function toEvent(name: string, data: string): OutlastEvent | null {
  switch (name) {
    case "task":
    case "worker": {
      const { seq, at, ...record } = JSON.parse(data) as Place & ((TaskChange & WorkerRecord) | Forgotten);
      if ("isForgotten" in record) return { kind: "forgotten", seq, at, what: name, id: record.id };
      return name === "task" ? { kind: "task", seq, at, task: record } : { kind: "worker", seq, at, worker: record };
    }
    case "queue": {
      const { seq, at, ...queue } = JSON.parse(data) as Place & QueueRecord;
      return { kind: "queue", seq, at, queue };
    }
    case "leader":
      return { kind: "leader", ...(JSON.parse(data) as Place & { epoch: number; address: string }) };
    case "reset":
      return { kind: "reset", seq: (JSON.parse(data) as { seq: number }).seq };
    default:
      return null;
  }
}

interface Forgotten {
  readonly id: string;
  readonly isForgotten: true;
}
