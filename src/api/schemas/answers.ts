/** Schemas of errors, of a master's own state, and of events. */
import { errorStatus } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import {
  closed,
  count,
  id,
  instant,
  limitKeyword,
  list,
  oneOf,
  open,
  orNull,
  ref,
  type Schema,
  safeCount,
  taskId,
  text,
  truth,
} from "../../model/schema.ts";
import { taskStates } from "../../model/task.ts";
import { statusProperties } from "./tasks.ts";
import { optionalWorkerProperties, workerProperties } from "./workers.ts";

const nullableText = orNull(text);

const statusOfMaster = {
  name: text,
  nonce: text,
  address: text,
  role: oneOf(["starting", "standby", "leader", "stopping"]),
  epoch: safeCount,
  seq: safeCount,
  leader: nullableText,
  incarnation: text,
  store: text,
  durability: text,
  trouble: { ...nullableText, description: "Why nothing can be committed at the moment; null if all is well." },
  startedAt: instant,
  roleSince: instant,
};

const milliseconds: Schema = { type: "number", minimum: 0 };

/** On every event: its position in the journal. */
const place = { seq: safeCount, at: instant };
const isForgotten: Schema = { const: true, description: "It was removed, or its retention is over." };

export const answerSchemas = {
  Error: open({
    error: open(
      { code: oneOf(Object.keys(errorStatus)), message: text },
      {
        path: { ...text, description: "Where in the request, as a JSON pointer." },
        limit: { ...text, description: "The name of the limit that was exceeded." },
        hint: { ...text, description: "What to do about it." },
        leader: { ...text, description: "With `not-leader`: the leader's base URL." },
        line: { ...count, description: "Of a body in NDJSON, counted from 1." },
      },
    ),
  }),
  Health: open({ status: { const: "alive" } }),
  Readiness: open({ isReady: truth, role: text, leader: nullableText, trouble: nullableText }),
  CommitTimes: open(
    { p50: orNull(milliseconds), p90: orNull(milliseconds), p99: orNull(milliseconds), max: orNull(milliseconds) },
    {},
    { description: "Duration of the last thousand commits in ms; null before the first commit." },
  ),
  MasterStats: open({
    commits: count,
    inputs: count,
    writes: count,
    inboxLength: count,
    tasks: { type: "object", additionalProperties: count },
    waiting: {
      type: "object",
      additionalProperties: count,
      description:
        "Tasks that wait, by reason. Only the leader knows them. For those who are bound to queues, only tasks in these that could start by themselves or are blocked.",
    },
    workersConnected: count,
    slots: open({ total: count, used: count }, {}, { description: "Slots of connected workers." }),
    oldestWaitMs: {
      ...count,
      description: "How long the task has waited that is first in its line and waited longest.",
    },
    elections: { ...count, description: "Changes of the leader that this master has seen since its start." },
    roleChanges: { ...count, description: "Changes of this master's own role since its start." },
    commitMs: ref("CommitTimes"),
  }),
  MasterStatus: open({
    ...statusOfMaster,
    now: {
      ...instant,
      description: "By its clock of passed time, which does not follow steps of the wall clock at once.",
    },
    clockOffsetMs: {
      type: "integer",
      description: "How far that is ahead of its machine's wall clock; below 0 where it is behind.",
    },
    isOpen: { ...truth, description: "True where nobody needs a credential: whoever reaches the port is an admin." },
    isBehindProxy: { ...truth, description: "True where a proxy tells this master where requests come from." },
    stats: ref("MasterStats"),
  }),
  MasterList: open({ masters: list(ref("Master")) }),
  Master: open({
    nonce: { ...text, description: "Random; a new one for each process." },
    name: text,
    address: text,
    role: oneOf(["standby", "leader"]),
    epoch: safeCount,
    seq: safeCount,
    roleSince: instant,
    unchangedMs: {
      ...count,
      description: "Time since its record last changed. After some seconds it is probably gone.",
    },
    lag: { ...count, description: "Journal entries that it is behind the leader, by their records." },
  }),
  Barrier: open({ seq: safeCount }),
  TaskEvent: {
    description: "Data of the event `task`.",
    anyOf: [
      open(
        {
          ...place,
          id: taskId,
          state: ref("TaskState"),
          attempt: count,
          failures: count,
          kills: count,
          changedAt: instant,
        },
        { name: text, queue: text, createdAt: instant, startAt: orNull(instant), ...statusProperties },
      ),
      open({ ...place, id: taskId, isForgotten }),
    ],
  },
  WorkerEvent: {
    description: "Data of the event `worker`.",
    anyOf: [open({ ...place, ...workerProperties }, optionalWorkerProperties), open({ ...place, id, isForgotten })],
  },
  QueueEvent: open({ ...place, name: id, isPaused: truth }, {}, { description: "Data of the event `queue`." }),
  LeaderEvent: open({ ...place, epoch: safeCount, address: text }, {}, { description: "Data of the event `leader`." }),
  ProgressEvent: open(
    { id: taskId, attempt: count, progress: ref("Progress") },
    {},
    {
      description:
        "Data of the event `progress`: a running attempt said how far it is. Not in the journal: it has no `seq`.",
    },
  ),
  EventFilter: closed(
    {},
    {
      tasks: list(taskId, {
        minItems: 1,
        maxItems: limits.eventTasksMax,
        [limitKeyword]: "eventTasksMax",
        description: "Default: all tasks.",
      }),
      states: list(ref("TaskState"), { minItems: 1, maxItems: taskStates.length, description: "Default: all states." }),
      family: { ...taskId, description: "A task: its family is meant, with all children, theirs, and so on." },
    },
    { description: "Only `task` events that match all of it are sent, and those of forgotten tasks." },
  ),
  PositionEvent: open(
    {
      seq: safeCount,
      of: list(text, {
        description:
          "What has changed since the event before: `tasks`, `leader`, or records such as `workers`, `queues` and `schedules`.",
      }),
    },
    {},
    { description: "Data of the event `position`." },
  ),
  ResetEvent: open(
    { seq: safeCount, reason: text },
    {},
    { description: "Data of the event `reset`: events were lost. Read everything again." },
  ),
};
