/** Schemas of errors, of a master's own state, and of the events it tells. */
import { errorStatus } from "../../model/errors.ts";
import {
  count,
  id,
  instant,
  list,
  oneOf,
  open,
  orNull,
  ref,
  type Schema,
  safeCount,
  text,
  truth,
} from "../../model/schema.ts";
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
  trouble: { ...nullableText, description: "Why nothing can be committed at the moment." },
  startedAt: instant,
  roleSince: instant,
};

const milliseconds: Schema = { type: "number", minimum: 0 };

/** The place of an event in the journal, on every event. */
const place = { seq: safeCount, at: instant };
const isForgotten: Schema = { const: true, description: "It has outlived its retention, or was removed." };

export const answerSchemas = {
  Error: open({
    error: open(
      { code: oneOf(Object.keys(errorStatus)), message: text },
      {
        path: { ...text, description: "Where in the request, as a JSON pointer." },
        limit: { ...text, description: "The name of the bound that was passed." },
        hint: { ...text, description: "What to do about it." },
        leader: { ...text, description: "With `not-leader`: where to ask instead." },
        line: { ...count, description: "Of a body in NDJSON, counted from 1." },
      },
    ),
  }),
  Health: open({ status: { const: "alive" } }),
  Readiness: open({ isReady: truth, role: text, leader: nullableText, trouble: nullableText }),
  CommitTimes: open(
    { p50: orNull(milliseconds), p90: orNull(milliseconds), p99: orNull(milliseconds), max: orNull(milliseconds) },
    {},
    { description: "How long the last thousand commits took, in ms; null before the first." },
  ),
  MasterStats: open({
    commits: count,
    inputs: count,
    writes: count,
    inboxLength: count,
    tasks: { type: "object", additionalProperties: count },
    workersConnected: count,
    elections: { ...count, description: "Changes of the leader seen since the start." },
    roleChanges: { ...count, description: "Changes of this master's own role since its start." },
    commitMs: ref("CommitTimes"),
  }),
  MasterStatus: open({ ...statusOfMaster, stats: ref("MasterStats") }),
  MasterList: open({ masters: list(ref("Master")) }),
  Master: open({
    nonce: { ...text, description: "Drawn anew by each process." },
    name: text,
    address: text,
    role: oneOf(["standby", "leader"]),
    epoch: safeCount,
    seq: safeCount,
    roleSince: instant,
    unchangedMs: { ...count, description: "Since its note last changed; beyond a few seconds, it is probably gone." },
    lag: { ...count, description: "Journal entries that it is behind, as far as the notes tell." },
  }),
  Barrier: open({ seq: safeCount }),
  TaskEvent: {
    description: "Data of the event `task`.",
    anyOf: [
      open(
        { ...place, id, state: ref("TaskState"), attempt: count, failures: count, kills: count, changedAt: instant },
        { name: text, queue: text, createdAt: instant, startAt: orNull(instant), ...statusProperties },
      ),
      open({ ...place, id, isForgotten }),
    ],
  },
  WorkerEvent: {
    description: "Data of the event `worker`.",
    anyOf: [open({ ...place, ...workerProperties }, optionalWorkerProperties), open({ ...place, id, isForgotten })],
  },
  QueueEvent: open({ ...place, name: id, isPaused: truth }, {}, { description: "Data of the event `queue`." }),
  LeaderEvent: open({ ...place, epoch: safeCount, address: text }, {}, { description: "Data of the event `leader`." }),
  ProgressEvent: open(
    { id, attempt: count, progress: ref("Progress") },
    {},
    {
      description:
        "Data of the event `progress`: a running attempt said how far it is. Not in the journal: it has no `seq`.",
    },
  ),
  ResetEvent: open(
    { seq: safeCount, reason: text },
    {},
    { description: "Data of the event `reset`: what was missed cannot be told any more; read everything anew." },
  ),
};
