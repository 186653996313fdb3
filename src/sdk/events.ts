/** The stream of committed changes, resumed by itself when it is cut. */
import type { TaskStatus } from "../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../model/worker.ts";
import type { Connection } from "./connection.ts";
import { resumedStream } from "./serverEvents.ts";

/** One committed change, in the order of the journal. `seq` is the journal entry it stands in. */
export type OutlastEvent =
  | { readonly kind: "task"; readonly seq: number; readonly task: TaskStatus }
  | { readonly kind: "worker"; readonly seq: number; readonly worker: WorkerRecord }
  | { readonly kind: "queue"; readonly seq: number; readonly queue: QueueRecord }
  | { readonly kind: "leader"; readonly seq: number; readonly epoch: number; readonly address: string }
  /** Changes were missed: the journal no longer reaches back to where the stream was cut. Look again at what you follow. */
  | { readonly kind: "reset"; readonly seq: number };

export interface EventsOptions {
  /** Everything after this journal entry; from now on if left out. */
  readonly after?: number;
  readonly signal?: AbortSignal;
}

/** As `OutlastEvent`, with a mark for each time the stream was opened: from then on nothing is missed. */
export type EventOrOpened = OutlastEvent | { readonly kind: "opened" };

export async function* eventsWithOpenings(
  connection: Connection,
  options: EventsOptions,
): AsyncGenerator<EventOrOpened, void, undefined> {
  let seen = options.after ?? null;
  const stream = resumedStream(connection, () => ({
    path: seen === null ? "/v1/events" : `/v1/events?after=${seen}`,
    signal: options.signal,
  }));
  for await (const item of stream) {
    if (item.kind === "opened") {
      yield item;
      continue;
    }
    if (item.id !== null && /^\d+$/.test(item.id)) seen = Number(item.id);
    const event = toEvent(item.event, item.data, seen ?? 0);
    if (event !== null) yield event;
  }
}

/** Events of kinds that this version does not know are passed over: a newer master may send them. */
function toEvent(name: string, data: string, seq: number): OutlastEvent | null {
  switch (name) {
    case "task":
      return { kind: "task", seq, task: JSON.parse(data) as TaskStatus };
    case "worker":
      return { kind: "worker", seq, worker: JSON.parse(data) as WorkerRecord };
    case "queue":
      return { kind: "queue", seq, queue: JSON.parse(data) as QueueRecord };
    case "leader":
      return { kind: "leader", seq, ...(JSON.parse(data) as { epoch: number; address: string }) };
    case "reset":
      return { kind: "reset", seq };
    default:
      return null;
  }
}
