/** The event stream of committed changes. It can be resumed at any journal entry that is still kept. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { rootOf } from "../../model/family.ts";
import { isTaskId, type TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { id, limitKeyword, listKeyword, ref, safeCount, taskId } from "../../model/schema.ts";
import type { TaskState } from "../../model/task.ts";
import { encodeBatch, sseMessage } from "../events/changeEvents.ts";
import type { EventStream } from "../events/eventStream.ts";
import { followFiltered } from "../events/filteredEvents.ts";
import type { Context, Route } from "./route.ts";
import { toStates } from "./taskRoutes.ts";

const afterParameter = { ...safeCount, description: "Send everything after this journal entry. Default: from now on." };
const lastEventIdHeader = {
  type: "string",
  pattern: "^[0-9]{1,16}$",
  description: "As `after`; browsers send it when they reconnect.",
};

export const eventRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/events",
    name: "followEvents",
    access: { needs: "read", of: "each" },
    summary: "Every committed change, in order, once; or only those that match a filter.",
    tag: "events",
    query: {
      task: {
        type: "string",
        pattern: "^[A-Za-z0-9._:,-]+$",
        maxLength: limits.urlFilterLengthMax,
        [limitKeyword]: "urlFilterLengthMax",
        [listKeyword]: id,
        description: "Only `task` events of these ids, separated by commas.",
      },
      state: {
        type: "string",
        minLength: 1,
        maxLength: limits.nameLengthMax,
        [listKeyword]: ref("TaskState"),
        description: "Only `task` events with one of these states, separated by commas, and those of forgotten tasks.",
      },
      family: {
        ...taskId,
        description: "Only `task` events of the family that this task belongs to: children, theirs, and so on.",
      },
      positions: {
        type: "boolean",
        default: false,
        description:
          "Only `position` events: something has been committed. At most five in a second, fewer if many clients follow.",
      },
      progress: {
        type: "boolean",
        default: false,
        description:
          "Also what running attempts say of their progress, as `progress`; only from the leader, never repeated.",
      },
      after: afterParameter,
    },
    headers: { "last-event-id": lastEventIdHeader },
    answers: {
      200: {
        description:
          "Events `task`, `worker`, `queue` and `leader`. `reset` means that events were lost: read everything again. " +
          "The last event of each journal entry carries its id.",
        content: {
          "text/event-stream": {
            anyOf: ["Task", "Worker", "Queue", "Leader", "Reset", "Progress", "Position"].map((kind) =>
              ref(`${kind}Event`),
            ),
          },
        },
      },
    },
    isStream: true,
    handle: followEvents,
  },
  {
    method: "POST",
    path: "/v1/events",
    name: "followTasks",
    access: { needs: "read", of: "each" },
    summary: "The changes of many tasks, in order, once. For few, `GET` with `task` does the same.",
    tag: "events",
    query: { after: afterParameter },
    headers: { "last-event-id": lastEventIdHeader },
    body: { schema: "EventFilter", limit: "bodyBytesMax" },
    answers: {
      200: {
        description: "Events `task` and `reset`. A quiet stream is pinged with its journal position.",
        content: { "text/event-stream": { anyOf: ["Task", "Reset"].map((kind) => ref(`${kind}Event`)) } },
      },
    },
    isStream: true,
    handle: followTasks,
  },
];

interface EventQuery {
  readonly task?: string;
  readonly state?: string;
  readonly family?: TaskId;
  readonly positions?: boolean;
  readonly progress?: boolean;
}

async function followEvents(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<void> {
  const { task, state, family, positions = false, progress = false } = request.query as EventQuery;
  const { master, streams } = context;
  const isFiltered = task !== undefined || state !== undefined || family !== undefined;
  const filter = { tasks: toTasks(task), states: toStateSet(state), root: toRoot(family) };
  if (Number(isFiltered) + Number(positions) + Number(progress) > 1) {
    throw new OutlastError("bad-request", "Filters, positions and progress cannot be combined.", {
      hint: "Open one stream for each.",
    });
  }
  const after = resumeAt(request);
  await streams.open(reply, "client", async (stream) => {
    const subscription = positions
      ? await context.positions.follow(stream)
      : await subscribe(master, stream, after, (seq) =>
          isFiltered ? followFiltered(context, stream, filter, seq) : follow(master, stream, seq),
        );
    if (!progress) return () => subscription.close();
    const stopListening = master.onProgress((change) => {
      // A reader that is behind needs the committed changes more.
      if (!stream.isClosed && !stream.isBusy) stream.send(`${sseMessage("progress", change)}\n`);
    });
    return () => {
      stopListening();
      subscription.close();
    };
  });
}

interface FilterBody {
  readonly tasks?: readonly TaskId[];
  readonly states?: readonly TaskState[];
  readonly family?: TaskId;
}

async function followTasks(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<void> {
  const { tasks, states, family } = request.body as FilterBody;
  const filter = {
    tasks: tasks === undefined ? null : new Set(tasks),
    states: states === undefined ? null : new Set(states),
    root: toRoot(family),
  };
  const after = resumeAt(request);
  await context.streams.open(reply, "client", async (stream) => {
    const subscription = await subscribe(context.master, stream, after, (seq) =>
      followFiltered(context, stream, filter, seq),
    );
    return () => subscription.close();
  });
}

function toTasks(text: string | undefined): ReadonlySet<TaskId> | null {
  if (text === undefined) return null;
  const ids = text.split(",");
  for (const id of ids)
    if (!isTaskId(id))
      throw new OutlastError("bad-request", `Invalid task id ${JSON.stringify(id)}.`, { path: "/task" });
  return new Set(ids as TaskId[]);
}

function toRoot(member: TaskId | undefined): TaskId | null {
  return member === undefined ? null : rootOf(member);
}

function toStateSet(text: string | undefined): ReadonlySet<TaskState> | null {
  return text === undefined ? null : new Set(toStates(text));
}

function resumeAt(request: FastifyRequest): number | null {
  const seen = request.headers["last-event-id"];
  // A browser reconnects with the original URL, so the header counts more than the query.
  if (typeof seen === "string") return Number(seen);
  return (request.query as { after?: number }).after ?? null;
}

type Follow = (afterSeq: number) => Promise<Subscription>;

async function subscribe(
  master: MasterApi,
  stream: EventStream,
  after: number | null,
  followAfter: Follow,
): Promise<Subscription> {
  const { seq, role } = master.status();
  if (after === null) return followAfter(seq);
  // A standby may be behind what its client has read elsewhere. A leader never is, so this is another journal.
  if (after > seq && role === "leader") return reset(master, stream, `The journal ends at ${seq}.`, followAfter);
  try {
    return await followAfter(after);
  } catch (error) {
    if (!(error instanceof OutlastError) || error.code !== "not-found") throw error;
    return reset(master, stream, error.message, followAfter);
  }
}

async function reset(
  master: MasterApi,
  stream: EventStream,
  reason: string,
  followAfter: Follow,
): Promise<Subscription> {
  const { seq } = master.status();
  stream.send(`${sseMessage("reset", { seq, reason })}id: ${seq}\n\n`);
  return followAfter(seq);
}

/** If this master has skipped entries, the stream ends: the reader reconnects and gets them from the journal. */
function follow(master: MasterApi, stream: EventStream, after: number): Promise<Subscription> {
  return master.changes(after, teller(stream, after), () => stream.end());
}

/** While old entries are replayed, the master waits for the returned promise, so that a long journal is never buffered. */
function teller(stream: EventStream, afterSeq: number): (batch: ChangeBatch) => unknown {
  let reportedSeq = afterSeq;
  return (batch) => {
    if (stream.isClosed) throw new OutlastError("unavailable", "The stream is closed.");
    if (batch.seq <= reportedSeq) return null;
    reportedSeq = batch.seq;
    stream.send(encodeBatch(batch));
    return stream.isBusy ? stream.drained() : null;
  };
}
