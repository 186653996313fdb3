/** Submitting, reading and cancelling tasks. */

import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import type { PendingSignal } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { count, id, limitKeyword, oneOf, taskId } from "../../model/schema.ts";
import type { Submission } from "../../model/submission.ts";
import { type TaskState, taskStates } from "../../model/task.ts";
import { type WaitingReason, waitingReasons } from "../../model/waiting.ts";
import type { TaskQuery } from "../../ports/store.ts";
import { readForm } from "../http/formSubmission.ts";
import { traceSubmission } from "../http/tracedSubmission.ts";
import {
  type Context,
  consistentQuery,
  leaderQuery,
  pageQuery,
  pathId,
  type Route,
  type Schemas,
  stateQuery,
  taskParameter,
} from "./route.ts";
import { listWaiting } from "./waitingTasks.ts";

export const idempotencyKey: Schemas = {
  "idempotency-key": {
    type: "string",
    pattern: `^[\\x20-\\x7e]{1,${limits.idempotencyKeyLengthMax}}$`,
    [limitKeyword]: "idempotencyKeyLengthMax",
    description:
      "A request that is repeated with its key creates nothing again. The same key with another body is a conflict.",
  },
};

export const submissionHeaders: Schemas = {
  ...idempotencyKey,
  traceparent: {
    type: "string",
    description: "The trace that new tasks belong to, as W3C Trace Context writes it. Any other text is passed over.",
  },
};

const listQuery: Schemas = {
  ...stateQuery,
  queue: id,
  name: { type: "string", minLength: 1, maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" },
  host: { ...id, description: "The worker of the current or last attempt." },
  parent: { ...taskId, description: "Only children of this task." },
  roots: { type: "boolean", default: false, description: "Only tasks without a parent. Not together with `parent`." },
  waiting: oneOf(waitingReasons, {
    description:
      "Only tasks that wait for this reason, as far as the master that is asked knows it; the leader knows best. A page may then be short, even empty, before the end.",
  }),
  order: oneOf(["newest", "oldest"], { default: "newest", description: "By creation." }),
  ...pageQuery,
  ...consistentQuery,
  ...leaderQuery,
};

export const taskRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/tasks",
    name: "submitTask",
    access: { needs: "submit", of: "queue" },
    summary: "Create one task. After the answer, the task is never lost.",
    tag: "tasks",
    headers: submissionHeaders,
    body: { schema: "Submission", limit: "bodyBytesMax" },
    needsLeader: true,
    answers: {
      200: { description: "An earlier request has created it.", schema: "Submitted" },
      201: { description: "Created.", schema: "Submitted", headers: { location: { type: "string" } } },
    },
    handle: submitOne,
  },
  {
    method: "POST",
    path: "/v1/tasks/form",
    name: "submitForm",
    access: { needs: "submit", of: "queue" },
    summary:
      "Create one task together with its files: multipart/form-data with the field `task` and one part for each file.",
    tag: "tasks",
    headers: submissionHeaders,
    body: { limit: "blobBodyBytesMax", isRaw: true },
    needsLeader: true,
    answers: {
      200: { description: "An earlier request has created it.", schema: "Submitted" },
      201: { description: "Created.", schema: "Submitted", headers: { location: { type: "string" } } },
    },
    handle: submitForm,
  },
  {
    method: "POST",
    path: "/v1/tasks/batch",
    name: "submitTasks",
    access: { needs: "submit", of: "queue" },
    summary: "Create many tasks: all of them or none.",
    tag: "tasks",
    headers: submissionHeaders,
    body: { schema: "Batch", limit: "batchBodyBytesMax", isNdjson: true },
    needsLeader: true,
    answers: {
      200: { description: "An earlier request has created them.", schema: "SubmittedBatch" },
      201: { description: "Created, in the order of the request.", schema: "SubmittedBatch" },
    },
    handle: submitBatch,
  },
  {
    method: "GET",
    path: "/v1/tasks",
    name: "listTasks",
    access: { needs: "read", of: "each" },
    summary: "List tasks, page by page.",
    tag: "tasks",
    query: listQuery,
    answers: { 200: { description: "One page.", schema: "TaskPage" } },
    handle: (request, _reply, { master }) => {
      const { waiting, ...given } = request.query as ListQuery;
      const query = toTaskQuery(given);
      return waiting === undefined ? master.listTasks(query) : listWaiting(master, waiting, query);
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id",
    name: "getTask",
    access: { needs: "read", of: "task" },
    summary: "Read one task.",
    tag: "tasks",
    parameters: taskParameter,
    query: { ...consistentQuery, ...leaderQuery },
    answers: { 200: { description: "The task.", schema: "Task" } },
    handle: async (request, _reply, { master, actor }) => {
      const task = pathId<TaskId>(request);
      const document = await master.readTask(task);
      if (document === null) throw noSuchTask(task, actor);
      return document;
    },
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/cancel",
    name: "cancelTask",
    access: { needs: "submit", of: "task", isOwnOnly: true },
    summary: "Cancel an unfinished task; a running attempt is killed.",
    tag: "tasks",
    parameters: taskParameter,
    needsLeader: true,
    answers: { 200: { description: "Cancelled.", schema: "Cancelled" } },
    handle: async (request, _reply, { master }) => {
      const task = pathId<TaskId>(request);
      await master.cancel(task);
      return { id: task, state: "cancelled" };
    },
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/retry",
    name: "retryTask",
    access: { needs: "submit", of: "task", isOwnOnly: true },
    summary:
      "Open a task again that has failed or was cancelled, with what has failed below it and what has ended above it.",
    tag: "tasks",
    parameters: taskParameter,
    query: {
      attempt: { ...count, description: "Only if this is still its last attempt: a repeated request is done once." },
      fromScratch: { type: "boolean", default: false, description: "Forget its remembered steps and its children." },
    },
    needsLeader: true,
    answers: { 200: { description: "Open again, or it was so already.", schema: "Retried" } },
    handle: async (request, _reply, { master }) => {
      const task = pathId<TaskId>(request);
      const { attempt = null, fromScratch = false } = request.query as { attempt?: number; fromScratch?: boolean };
      return { id: task, reopened: await master.retry(task, { attempt, isFromScratch: fromScratch }) };
    },
  },
  {
    method: "POST",
    path: "/v1/tasks/:id/signals",
    name: "signalTask",
    access: { needs: "submit", of: "task", isOwnOnly: true },
    summary:
      "Send a signal to an unfinished task. It is delivered once, to the first wait for its name, which may come later.",
    tag: "tasks",
    parameters: taskParameter,
    body: { schema: "Signal", limit: "signalBodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "Kept until the task waits for it.", schema: "Signalled" } },
    handle: async (request, _reply, { master }) => {
      const { id = randomUUID(), name, payload = null } = request.body as Partial<PendingSignal> & { name: string };
      await master.signal(pathId<TaskId>(request), { id, name, payload });
      return { id };
    },
  },
];

/** A task of a queue that the caller may not see is not told apart from one that is not there. */
export function noSuchTask(id: string, by: Actor | undefined): OutlastError {
  const hint =
    by?.queues === undefined
      ? "Finished tasks are removed when their retention is over."
      : "It may be in a queue that you may not see, or was removed when its retention was over.";
  return new OutlastError("not-found", `There is no task ${id}.`, { hint });
}

function submitOne(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<unknown> {
  return submitIt(request.body as Submission, request, reply, context);
}

async function submitForm(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<unknown> {
  const end = context.transfers.begin();
  try {
    return await submitIt(await readForm(request, context.master.blobs), request, reply, context);
  } finally {
    end();
  }
}

async function submitIt(
  submission: Submission,
  request: FastifyRequest,
  reply: FastifyReply,
  { master, tracing }: Context,
): Promise<unknown> {
  const [task] = await traceSubmission(request, tracing, submission.kind, (traceparent) =>
    master.submit([submission], keyOf(request), undefined, traceparent),
  );
  if (task === undefined) throw new Error("The master answered a submission with no task.");
  return reply
    .code(task.isNew ? 201 : 200)
    .header("location", `/v1/tasks/${task.id}`)
    .send(task);
}

async function submitBatch(request: FastifyRequest, reply: FastifyReply, context: Context): Promise<unknown> {
  const { master, tracing } = context;
  const { tasks } = request.body as { tasks: readonly Submission[] };
  const submitted = await traceSubmission(request, tracing, `${tasks.length} tasks`, (traceparent) =>
    master.submit(tasks, keyOf(request), undefined, traceparent).catch((error: unknown) => {
      throw tasks.length === 1 ? inBatchOfOne(error) : error;
    }),
  );
  return reply.code(submitted.some((task) => task.isNew) ? 201 : 200).send({ tasks: submitted });
}

export function keyOf(request: FastifyRequest): string | null {
  const key = request.headers["idempotency-key"];
  return typeof key === "string" ? key : null;
}

/** Errors of a single submission have no index; in a batch of one they need it. */
function inBatchOfOne(error: unknown): unknown {
  if (!(error instanceof OutlastError) || error.details.path === undefined) return error;
  return new OutlastError(error.code, error.message, { ...error.details, path: `/tasks/0${error.details.path}` });
}

interface ListQuery {
  readonly state?: string;
  readonly queue?: string;
  readonly name?: string;
  readonly host?: string;
  readonly parent?: TaskId;
  readonly roots?: boolean;
  readonly waiting?: WaitingReason;
  readonly order?: "newest" | "oldest";
  readonly cursor?: string;
  readonly limit?: number;
  readonly consistent?: boolean;
  readonly leader?: boolean;
}

/** @throws OutlastError `bad-request` for both */
export function rootsFilter({
  roots,
  parent,
}: {
  readonly roots: boolean | undefined;
  readonly parent: TaskId | undefined;
}): Pick<TaskQuery, "isRoot"> {
  if (roots !== true) return {};
  if (parent === undefined) return { isRoot: true };
  const message = "A task has a parent or has none: roots and parent exclude each other.";
  throw new OutlastError("bad-request", message, { path: "/roots", hint: "Leave one of them out." });
}

function toTaskQuery({
  state,
  roots,
  order,
  cursor,
  limit,
  consistent: _,
  leader: __,
  ...filters
}: Omit<ListQuery, "waiting">): TaskQuery {
  return {
    ...filters,
    ...rootsFilter({ roots, parent: filters.parent }),
    ...(state === undefined ? {} : { states: toStates(state) }),
    order: order ?? "newest",
    cursor: cursor ?? null,
    limit: limit ?? limits.pageDefault,
  };
}

export function toStates(text: string): TaskState[] {
  return [...new Set(text.split(","))].map((given) => {
    const state = taskStates.find((known) => known === given);
    if (state !== undefined) return state;
    throw new OutlastError("bad-request", `Unknown state ${JSON.stringify(given.slice(0, 80))}.`, {
      path: "/state",
      hint: `Use one of ${taskStates.join(", ")}.`,
    });
  });
}
