/** Schemas of tasks: what clients submit, and how tasks are shown. */
import { runConditions } from "../../model/graphs/conditions.ts";
import { builtInKinds } from "../../model/kinds/table.ts";
import { defaults, limits } from "../../model/limits.ts";
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
  taskId,
  text,
  truth,
  whole,
} from "../../model/schema.ts";
import { attemptsMax, backoffFactor, killsMax, kindName, submissionSchema } from "../../model/submission.ts";
import { boundMeans, conflictRules, taskStates } from "../../model/task.ts";

const attemptError = open({ code: text, message: text });
const exitRecord = open(
  { code: { type: ["integer", "null"] }, signal: { type: ["string", "null"] } },
  {
    bounds: open(
      {},
      { memory: oneOf(boundMeans), processes: oneOf(["cgroup"]) },
      { description: "How a command was bounded: with all that it starts, or each of its processes by itself." },
    ),
  },
);
const states = oneOf(taskStates);

/** Properties of a task's status in answers and events, without its output. */
export const statusProperties = {
  host: { ...id, description: "The worker of the current or last attempt." },
  boot: id,
  assignedAt: instant,
  startedAt: { ...instant, description: "By the worker's clock." },
  endedAt: instant,
  retriedAt: { ...instant, description: "When it was last retried after it had ended." },
  isRecorded: {
    ...truth,
    description:
      "The last attempt has a record among its attempts: how it ended stands there, and may differ from how the task stands.",
  },
  retryAt: instant,
  error: ref("AttemptError"),
  exit: ref("ExitRecord"),
  exits: list(ref("ExitRecord"), { description: "Of several commands: how each ended that was started." }),
  logBytes: count,
};

const document = open(
  {
    id: taskId,
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
    losses: {
      ...count,
      description: `The last attempts in a row at which its worker died; from ${defaults.lossesBeforeAlone} on it runs alone on its worker where that is possible.`,
    },
    isAlone: { type: "boolean", description: "While running: its worker runs nothing else." },
    waiting: { ...ref("Waiting"), description: "Why it does not run; only while it waits." },
    parent: { ...taskId, description: "The task that it is a child of." },
    childCounts: ref("ChildCounts"),
    family: {
      ...open({ epoch: { ...count, description: "The generation: a retry from scratch begins a new one." } }),
      description: "Of a task with steps or children.",
    },
    backupOf: {
      ...taskId,
      description: "The task of which this one is a backup: it does the same, and counts nowhere.",
    },
    backup: {
      ...open(
        { id: taskId },
        { isWinner: { const: true, description: "The task ended with the result of its backup." } },
      ),
      description: "Of a task that took much longer than its siblings: another one that does the same.",
    },
    openRun: { ...ref("OpenRun"), description: "Its job at a service, while that is not known to have ended." },
    uncounted: { ...count, description: "Attempts that ended and count neither as failed nor as killed." },
    requires: list(text),
    broadcast: truth,
    concurrencyKey: {
      ...text,
      description: "Of all tasks of its queue with this key, only `concurrencyMax` run at a time.",
    },
    concurrencyMax: { ...count, description: "1 if left out." },
    uniqueKey: { ...text, description: "Of the unfinished tasks of its queue with this key there is only one." },
    onConflict: oneOf(conflictRules),
    expiresAt: { ...instant, description: "If it has not started by then, it fails as `expired`." },
    deadlineMs: { ...count, description: "For the task with all its attempts and waits, from its creation on." },
    after: list(text, { description: "Ids of the tasks that must have ended before it starts." }),
    afterNames: list(text, { description: "Of a node of a graph: what those in `after` are called there." }),
    runIf: oneOf(runConditions),
    takesOutputs: { ...truth, description: "Its input takes outputs of the tasks that it waits for." },
    resolvedInput: { ...anything, description: "The input with these outputs in their places, once they are there." },
    depth: count,
    schedule: {
      ...open({ name: id, tickAt: instant }, { isBackfilled: truth }),
      description: "Of a task that a schedule has made.",
    },
    origin: { ...ref("TemplateOrigin"), description: "Of a task that was made from a template." },
    rights: {
      ...open({ owner: text }, { queues: list(text) }),
      description:
        "Of a task that was submitted with a credential: by whom, and the queues that it may reach; all if left out.",
    },
  },
);

export const signalName: Schema = {
  type: "string",
  minLength: 1,
  maxLength: limits.signalNameLengthMax,
  [limitKeyword]: "signalNameLengthMax",
};

/** `Submission` as a union by kind, each with the type of its input. */
export const documentedSubmissions: { readonly [name: string]: Schema } = {
  ...Object.fromEntries(
    builtInKinds.map(({ name, inputName }) => [
      submissionName(inputName),
      submissionOf({ const: name }, ref(inputName), `A task of the kind \`${name}\`.`),
    ]),
  ),
  HandlerSubmission: submissionOf(
    { ...kindName, not: { enum: builtInKinds.map(({ name }) => name) } },
    anything,
    "A task for a handler that workers have. Its input is any JSON.",
  ),
  Submission: {
    anyOf: [...builtInKinds.map(({ inputName }) => ref(submissionName(inputName))), ref("HandlerSubmission")],
  },
};

function submissionName(inputName: string): string {
  return inputName.replace(/Input$/, "Submission");
}

function submissionOf(kind: Schema, input: Schema, description: string): Schema {
  const properties = submissionSchema["properties"] as { readonly [name: string]: Schema };
  return { ...submissionSchema, properties: { ...properties, kind, input }, description };
}

export const taskSchemas = {
  Submission: submissionSchema,
  ...Object.fromEntries(builtInKinds.map(({ inputName, inputSchema }) => [inputName, inputSchema])),
  Batch: closed({
    tasks: list(ref("Submission"), {
      minItems: 1,
      maxItems: limits.batchTasksMax,
      [limitKeyword]: "batchTasksMax",
    }),
  }),
  BulkRequest: closed(
    {
      filter: {
        ...closed(
          {},
          {
            state: list(ref("TaskState"), { minItems: 1, maxItems: taskStates.length }),
            queue: id,
            name: { ...text, minLength: 1, maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" },
            host: { ...id, description: "The worker of the current or last attempt." },
            parent: { ...taskId, description: "Only children of this task; not for deleting." },
            roots: {
              ...truth,
              default: false,
              description: "Only tasks without a parent. Not together with `parent`.",
            },
          },
        ),
        description: "As for listing tasks; it names at least one thing.",
      },
    },
    {
      cursor: { ...text, minLength: 1, maxLength: limits.cursorLengthMax, [limitKeyword]: "cursorLengthMax" },
      limit: whole(1, limits.bulkPageMax, "bulkPageMax", { default: limits.bulkPageMax }),
      isDryRun: { ...truth, default: false, description: "True: say what would be done, and change nothing." },
    },
  ),
  BulkAnswer: open({
    tasks: list(taskId, { description: "What was changed, or would be, the oldest first." }),
    refused: list(open({ id: taskId, message: text }, { hint: text }), {
      description: "Tasks that match and cannot be changed so.",
    }),
    cursor: { type: ["string", "null"], description: "Send it to go on; null at the end." },
  }),
  Submitted: open(
    {
      id: taskId,
      isNew: { ...truth, description: "False if an earlier, equal submission has created it." },
    },
    {
      isExisting: {
        ...truth,
        description: "It is another task, which has the unique key of the submission and has not ended.",
      },
      replaced: { ...taskId, description: "The task that it has replaced, by its unique key." },
    },
  ),
  SubmittedBatch: open({ tasks: list(ref("Submitted")) }),
  TaskState: states,
  TaskLimits: open({
    attemptsMax,
    killsMax: orNull(killsMax),
    timeoutMs: orNull(duration),
    backoffBaseMs: duration,
    backoffFactor,
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
    cursor: { type: ["string", "null"], description: "Send it to get the next page; null at the end." },
  }),
  Signal: closed(
    { name: signalName },
    {
      id: {
        ...id,
        description: "Sent again with the same id, a signal is delivered once; drawn at random if left out.",
      },
      payload: { ...anything, description: "What the handler gets." },
    },
  ),
  Signalled: open({ id: taskId }),
  Retried: open({
    id: taskId,
    reopened: {
      ...count,
      description: "Tasks that are open again; 0 if it had not ended, or had been retried before.",
    },
  }),
  Cancelled: open({ id: taskId, state: { const: "cancelled" } }),
  LogEvent: open(
    { attempt, offset: count },
    {
      text: { ...text, description: "Present if the piece is UTF-8." },
      base64: { ...text, description: "Present if the piece is not UTF-8." },
      isTruncated: { const: true, description: "The log ends here: the attempt wrote more than is kept." },
    },
    { description: "Data of the event `log`: one piece of an attempt's output." },
  ),
};
