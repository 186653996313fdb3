/** Schemas of tasks: what clients submit, and how tasks are shown. */
import { defaults, limits } from "../../model/limits.ts";
import { taskKinds, taskStates } from "../../model/task.ts";
import {
  anything,
  attempt,
  closed,
  count,
  duration,
  id,
  instant,
  limitKeyword,
  list,
  oneOf,
  open,
  orNull,
  ref,
  type Schema,
  text,
  truth,
  whole,
} from "./schema.ts";

const name: Schema = { type: "string", minLength: 1, maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" };
const shortText: Schema = { type: "string", maxLength: limits.stringBytesMax, [limitKeyword]: "stringBytesMax" };
const priority = whole(limits.priorityMin, limits.priorityMax, "priorityMax");
const attemptsMax = whole(1, limits.attemptsMaxMax, "attemptsMaxMax");
const killsMax = whole(0, limits.killsMaxMax, "killsMaxMax");
const factor: Schema = { type: "number", minimum: 1, maximum: 100 };

const submission = closed(
  {
    kind: oneOf(taskKinds),
    input: { type: "object", description: "`SleepInput` for a sleep, `ExecInput` for an exec." },
  },
  {
    id: { ...id, description: "Asking twice for the same id with the same content is one task." },
    name: { ...name, description: "For people; the id if left out." },
    queue: { ...id, default: defaults.queue },
    priority: { ...priority, default: defaults.priority, description: "Higher starts first." },
    startAt: { ...instant, description: "Not to be started before; an instant in the past means now." },
    attemptsMax: { ...attemptsMax, default: defaults.attemptsMax, description: "1 means no retry." },
    killsMax: { ...killsMax, description: "Workers that may be lost under it; unbounded if left out." },
    timeoutMs: {
      ...whole(1, limits.durationMsMax, "durationMsMax"),
      description: "For one attempt; unbounded if left out.",
    },
    backoffBaseMs: { ...duration, default: defaults.backoffBaseMs },
    backoffFactor: { ...factor, default: defaults.backoffFactor },
    backoffMaxMs: { ...duration, default: defaults.backoffMaxMs },
  },
  { examples: [{ kind: "sleep", input: { seconds: 2 }, name: "nap" }] },
);

const attemptError = open({ code: text, message: text });
const exitRecord = open({ code: { type: ["integer", "null"] }, signal: { type: ["string", "null"] } });
const states = oneOf(taskStates);

/** What is told of a task's status wherever it is shown, output apart. */
export const statusProperties = {
  host: { ...id, description: "The worker of the current or last attempt." },
  boot: id,
  assignedAt: instant,
  startedAt: { ...instant, description: "By the worker's clock." },
  endedAt: instant,
  retryAt: instant,
  error: ref("AttemptError"),
  exit: ref("ExitRecord"),
  logBytes: count,
};

const document = open(
  {
    id,
    name: text,
    kind: text,
    input: anything,
    queue: text,
    priority: { type: "integer" },
    createdAt: instant,
    startAt: orNull(instant),
    limits: ref("TaskLimits"),
    fingerprint: { type: ["string", "null"] },
    state: ref("TaskState"),
    attempt: { ...count, description: "Starts so far." },
    failures: count,
    kills: count,
    changedAt: instant,
  },
  {
    ...statusProperties,
    output: anything,
    progress: {
      ...ref("Progress"),
      description: "Of the running attempt. The leader keeps it in memory, so a standby does not show it.",
    },
  },
);

export const taskSchemas = {
  Submission: submission,
  SleepInput: closed({ seconds: { type: "number", minimum: 0, maximum: limits.durationMsMax / 1000 } }),
  ExecInput: closed(
    { command: list(shortText, { minItems: 1, maxItems: limits.execArgumentsMax }) },
    {
      env: { type: "object", maxProperties: limits.execEnvironmentMax, additionalProperties: shortText },
      cwd: shortText,
      shell: { ...truth, default: false, description: "`command` is one line for /bin/sh." },
    },
  ),
  Batch: closed({
    tasks: list(ref("Submission"), {
      minItems: 1,
      maxItems: limits.batchTasksMax,
      [limitKeyword]: "batchTasksMax",
    }),
  }),
  Submitted: open({ id, isNew: { ...truth, description: "False if the same submission had created it before." } }),
  SubmittedBatch: open({ tasks: list(ref("Submitted")) }),
  TaskState: states,
  TaskLimits: open({
    attemptsMax,
    killsMax: orNull(killsMax),
    timeoutMs: orNull(duration),
    backoffBaseMs: duration,
    backoffFactor: factor,
    backoffMaxMs: duration,
  }),
  AttemptError: attemptError,
  ExitRecord: exitRecord,
  Progress: open(
    { done: { type: "number" }, at: { ...instant, description: "By the worker's clock." } },
    { total: { type: "number" }, text },
    { description: "How far an attempt says that it is, in units of its own." },
  ),
  Task: document,
  TaskPage: open({
    tasks: list(ref("Task")),
    cursor: { type: ["string", "null"], description: "Give it back to get the next page; null at the end." },
  }),
  Cancelled: open({ id, state: { const: "cancelled" } }),
  LogEvent: open(
    { attempt, offset: count },
    {
      text: { ...text, description: "Where the piece is UTF-8." },
      base64: { ...text, description: "Where it is not." },
      isTruncated: { const: true, description: "The log was cut here: the attempt wrote more than is kept." },
    },
    { description: "Data of the event `log`: one piece of an attempt's output." },
  ),
};
