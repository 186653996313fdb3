/** Reading how a task stands in short, and what belongs to it: its children, steps and attempts; and attempts over all tasks. */

import { type Generation, generations } from "../../master/service/generations.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { id, instant, oneOf } from "../../model/schema.ts";
import { toShortStatus } from "../../model/shortStatus.ts";
import {
  consistentQuery,
  leaderQuery,
  pageQuery,
  pathId,
  type Route,
  type Schemas,
  stateQuery,
  taskParameter,
} from "./route.ts";
import { noSuchTask, toStates } from "./taskRoutes.ts";

const consistentPageQuery: Schemas = { ...pageQuery, ...consistentQuery };

interface GivenPage {
  readonly cursor?: string;
  readonly limit?: number;
}

interface GivenChildren extends GivenPage {
  readonly state?: string;
  readonly order?: "newest" | "oldest";
  readonly generation?: Generation;
}

interface GivenAttempts extends GivenPage {
  readonly from?: number;
  readonly to?: number;
  readonly worker?: string;
}

export const taskViewRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/tasks/:id/status",
    name: "getShortStatus",
    summary: "Read how a task stands in four words, for shell scripts.",
    tag: "tasks",
    access: { needs: "read", of: "task" },
    parameters: taskParameter,
    query: consistentQuery,
    answers: { 200: { description: "How it stands.", schema: "ShortStatus" } },
    handle: async (request, _reply, { master, actor }) => {
      const task = pathId<TaskId>(request);
      const document = await master.readTask(task);
      if (document === null) throw noSuchTask(task, actor);
      return toShortStatus(document);
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/children",
    name: "listChildren",
    summary: "List the children of a task, page by page, with their number in each state.",
    tag: "tasks",
    access: { needs: "read", of: "task" },
    parameters: taskParameter,
    query: {
      ...stateQuery,
      order: oneOf(["newest", "oldest"], { default: "oldest", description: "By creation." }),
      generation: oneOf(generations, {
        description:
          "Only children made since the last retry from scratch, or only those made before it; all if left out. A page may then be short, even empty, before the end.",
      }),
      ...consistentPageQuery,
      ...leaderQuery,
    },
    answers: { 200: { description: "One page.", schema: "ChildPage" } },
    handle: (request, _reply, { master }) => {
      const { state, order = "oldest", generation, ...page } = request.query as GivenChildren;
      const filter = {
        ...(state !== undefined && { states: toStates(state) }),
        ...(generation !== undefined && { generation }),
      };
      return master.views.children(pathId<TaskId>(request), { ...filter, order, ...toPage(page) });
    },
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/steps",
    name: "listSteps",
    summary: "List what the handler of a task has remembered, by key, page by page.",
    tag: "tasks",
    access: { needs: "read", of: "task" },
    parameters: taskParameter,
    query: consistentPageQuery,
    answers: { 200: { description: "One page.", schema: "StepPage" } },
    handle: (request, _reply, { master }) =>
      master.views.steps(pathId<TaskId>(request), toPage(request.query as GivenPage)),
  },
  {
    method: "GET",
    path: "/v1/tasks/:id/attempts",
    name: "listAttemptsOfTask",
    summary: `List the attempts of a task, the first one first; the latest ${limits.attemptRecordsMax} are kept.`,
    tag: "tasks",
    access: { needs: "read", of: "task" },
    parameters: taskParameter,
    query: consistentPageQuery,
    answers: { 200: { description: "One page.", schema: "AttemptsOfTask" } },
    handle: (request, _reply, { master }) =>
      master.views.attempts(pathId<TaskId>(request), toPage(request.query as GivenPage)),
  },
  {
    method: "GET",
    path: "/v1/attempts",
    name: "listAttempts",
    summary:
      "List the attempts of all tasks that ran at some time between two instants: those that have ended, by when, then those that run.",
    tag: "tasks",
    access: { needs: "read", of: "each" },
    query: {
      from: { ...instant, description: "Leave out what ended before this instant, by its worker's clock." },
      to: { ...instant, description: "Leave out what was assigned at this instant or later." },
      worker: id,
      ...consistentPageQuery,
    },
    answers: { 200: { description: "One page; it may be empty and yet not be the last.", schema: "TaskAttemptPage" } },
    handle: (request, _reply, { master }) => {
      const { from = 0, to = limits.instantMsMax, worker, ...page } = request.query as GivenAttempts;
      return master.views.listAttempts({ from, to, ...(worker !== undefined && { worker }), ...toPage(page) });
    },
  },
];

function toPage({ cursor = null, limit = limits.pageDefault }: { cursor?: string | null; limit?: number }) {
  return { cursor, limit };
}
