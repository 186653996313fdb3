/** Waiting for tasks to end: by the stream of events, or by polling where no stream can be opened. */
import { OutlastError } from "../model/errors.ts";
import { defaults, limits } from "../model/limits.ts";
import { isFinal, type TaskDocument, taskStates } from "../model/task.ts";
import { pause } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { type EventsOptions, eventsWithOpenings, isFilterUnknown } from "./events.ts";

/** Null for a task that is forgotten and is to be left out. */
type Get = (id: string, signal: AbortSignal | undefined) => Promise<TaskDocument | null>;

/** Yields each of the tasks once, when it has ended, in the order in which they end. */
export async function* untilFinal(
  connection: Connection,
  get: Get,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<TaskDocument, void, undefined> {
  const open = new Set(ids);
  try {
    try {
      yield* byEvents(connection, get, open, { ...signalOf(signal), ...filterFor(open) });
    } catch (error) {
      if (!isFilterUnknown(error)) throw error;
      yield* byEvents(connection, get, open, signalOf(signal));
    }
  } catch (error) {
    if (!(error instanceof OutlastError) || !isStreamTrouble(error)) throw error;
    yield* byLooking(get, open, signal);
  }
}

/** Only the ends of these tasks are of interest; of too many to name, the ends of all tasks. */
function filterFor(open: ReadonlySet<string>): Pick<EventsOptions, "tasks" | "states"> {
  const states = taskStates.filter(isFinal);
  return open.size > limits.eventTasksMax ? { states } : { tasks: [...open], states };
}

function signalOf(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** No stream can be opened here: a proxy buffers it, or the master has as many subscribers as it can serve. */
function isStreamTrouble(error: OutlastError): boolean {
  return error.code === "unsupported-media" || error.code === "too-many";
}

async function* byEvents(
  connection: Connection,
  get: Get,
  open: Set<string>,
  options: EventsOptions,
): AsyncGenerator<TaskDocument, void, undefined> {
  if (open.size === 0) return;
  const { signal } = options;
  let isFirst = true;
  for await (const event of eventsWithOpenings(connection, options)) {
    switch (event.kind) {
      case "opened":
        // The stream is open before the first read, so that an end between the two is not missed.
        if (isFirst) yield* lookAtAll(get, open, signal);
        isFirst = false;
        break;
      case "reset":
        yield* lookAtAll(get, open, signal);
        break;
      case "task":
        if (open.has(event.task.id) && isFinal(event.task.state)) {
          open.delete(event.task.id);
          const task = await get(event.task.id, signal);
          if (task !== null) yield task;
        }
        break;
      case "forgotten":
        // It ended and was removed while the stream was cut. The read answers not-found.
        if (event.what === "task" && open.delete(event.id)) {
          const task = await get(event.id, signal);
          if (task !== null) yield task;
        }
        break;
      default:
    }
    if (open.size === 0) return;
  }
}

async function* byLooking(
  get: Get,
  open: Set<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TaskDocument, void, undefined> {
  for (;;) {
    yield* lookAtAll(get, open, signal);
    if (open.size === 0) return;
    await pause(defaults.clientPollMs, signal);
  }
}

/** Reads every open task, a few at a time, and yields those that have ended. */
async function* lookAtAll(
  get: Get,
  open: Set<string>,
  signal: AbortSignal | undefined,
): AsyncGenerator<TaskDocument, void, undefined> {
  const ids = [...open];
  for (let start = 0; start < ids.length; start += defaults.clientConcurrency) {
    const some = ids.slice(start, start + defaults.clientConcurrency);
    const documents = await Promise.all(some.map((id) => get(id, signal)));
    for (const [index, document] of documents.entries()) {
      if (document !== null && !isFinal(document.state)) continue;
      open.delete(some[index] ?? "");
      if (document !== null) yield document;
    }
  }
}
