/** What the pages read, each under the key that it is kept by. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { limits } from "../../../src/model/limits.ts";
import { ask, get, segment } from "./client.ts";
import { setCsrf } from "./credentials.ts";
import { extended, unsettledSince } from "./history.ts";
import type {
  ArtifactList,
  Attempt,
  AttemptsOfTask,
  ChildPage,
  DeliveryPage,
  Graph,
  History,
  MarkList,
  MasterList,
  MasterStatus,
  QueueList,
  Schedule,
  SchedulePage,
  ScheduleTicks,
  Session,
  StepPage,
  Task,
  TaskAttempt,
  TaskAttemptPage,
  TaskPage,
  TemplatePage,
  TemplateVersion,
  TokenList,
  UserList,
  WebhookList,
  WorkerList,
} from "./schema.ts";
import { type Generation, getTasks, readChildren, statusRead } from "./taskReads.ts";

/** Heartbeats and progress commit nothing, so nothing tells of them. */
const uncommittedMs = 2_000;

/** So often clocks are compared. */
const clocksMs = 30_000;

/** So often a page that stays open says that its session is still used. */
const sessionMs = 5 * 60_000;

/** Who is signed in. Not read again with everything else, since every reading prolongs the session. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => {
    const session = await get<Session>("/v1/session", {}, signal);
    setCsrf(session.csrf ?? null);
    return session;
  },
  staleTime: "static",
  refetchInterval: sessionMs,
});

export const usersQuery = queryOptions({
  queryKey: ["users"],
  meta: { of: ["users"] },
  queryFn: ({ signal }) => get<UserList>("/v1/users", {}, signal),
});

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  meta: { of: ["tokens"] },
  queryFn: ({ signal }) => get<TokenList>("/v1/tokens", {}, signal),
});

export const statusQuery = queryOptions({
  ...statusRead,
  refetchInterval: uncommittedMs,
});

/** Of the leader, where the master of this page follows. */
export const leaderStatusQuery = queryOptions({
  queryKey: ["leader status"],
  meta: { of: ["leader"] },
  queryFn: ({ signal }) => get<MasterStatus>("/v1/status", { leader: true }, signal),
  refetchInterval: clocksMs,
});

/** What only the leader knows of waits and slots, where the master of this page follows. */
export const leaderStatsQuery = queryOptions({
  ...leaderStatusQuery,
  queryKey: ["leader stats"],
  refetchInterval: uncommittedMs,
});

/** The newest tasks, by which clocks are compared. */
export const newestTasksQuery = queryOptions({
  queryKey: ["newest tasks"],
  meta: { of: [] },
  queryFn: ({ signal }) => get<TaskPage>("/v1/tasks", { limit: limits.clockTasksMax }, signal),
  refetchInterval: clocksMs,
});

export const mastersQuery = queryOptions({
  queryKey: ["masters"],
  meta: { of: ["leader"] },
  queryFn: ({ signal }) => get<MasterList>("/v1/masters", {}, signal),
  refetchInterval: uncommittedMs,
});

export const workersQuery = queryOptions({
  queryKey: ["workers"],
  meta: { of: ["workers"] },
  queryFn: ({ signal }) => get<WorkerList>("/v1/workers", {}, signal),
  refetchInterval: uncommittedMs,
});

export const queuesQuery = queryOptions({
  queryKey: ["queues"],
  queryFn: ({ signal }) => get<QueueList>("/v1/queues", {}, signal),
});

export function historyQuery(resolution: "second" | "minute") {
  return queryOptions({
    queryKey: ["history", resolution],
    meta: { of: [] },
    queryFn: async ({ client, queryKey, signal }) => {
      const known = client.getQueryData<History>(queryKey);
      const since = unsettledSince(known);
      return extended(known, since, await get<History>("/v1/history", { resolution, since }, signal), resolution);
    },
    refetchInterval: resolution === "second" ? 1_000 : 10_000,
  });
}

export const marksQuery = queryOptions({
  queryKey: ["marks"],
  meta: { of: ["leader", "workers"] },
  queryFn: ({ signal }) => get<MarkList>("/v1/marks", {}, signal),
});

export function taskQuery(id: string) {
  return queryOptions({
    queryKey: ["task", id],
    queryFn: ({ client, signal }) => getTasks<Task>(client, `/v1/tasks/${segment(id)}`, {}, signal),
    refetchInterval: ({ state }) => (state.data?.state === "running" ? uncommittedMs : false),
  });
}

export function taskListQuery(query: { readonly [name: string]: string | number | boolean | undefined }) {
  return queryOptions({
    queryKey: ["tasks", query],
    queryFn: ({ client, signal }) => getTasks<TaskPage>(client, "/v1/tasks", query, signal),
  });
}

export const templatesQuery = queryOptions({
  queryKey: ["templates"],
  meta: { of: ["templates"] },
  queryFn: ({ signal }) => get<TemplatePage>("/v1/templates", { limit: 1000 }, signal),
});

export function templateQuery(name: string) {
  return queryOptions({
    queryKey: ["template", name],
    meta: { of: ["templates"] },
    queryFn: ({ signal }) => get<TemplateVersion>(`/v1/templates/${segment(name)}`, {}, signal),
  });
}

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  meta: { of: ["schedules"] },
  queryFn: ({ signal }) => get<SchedulePage>("/v1/schedules", { limit: 1000 }, signal),
});

/** The next ticks of a schedule, as the master computes them. @param name empty for one that has none yet */
export function ticksQuery(name: string, schedule: Schedule) {
  return queryOptions({
    queryKey: ["ticks", name, schedule],
    meta: { of: ["schedules"] },
    queryFn: () => ask<ScheduleTicks>("/v1/schedule-previews", { schedule, count: 10, ...(name !== "" && { name }) }),
  });
}

export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  meta: { of: ["webhooks"] },
  queryFn: ({ signal }) => get<WebhookList>("/v1/webhooks", {}, signal),
});

/** Deliveries that wait, the oldest first; or those that were given up, in no order. */
export function deliveriesQuery(name: string, state: "pending" | "given-up", limit: number) {
  return queryOptions({
    queryKey: ["deliveries", name, state, limit],
    meta: { of: ["webhooks", "deliveries", "undelivered"] },
    queryFn: ({ signal }) => get<DeliveryPage>(`/v1/webhooks/${segment(name)}/deliveries`, { state, limit }, signal),
    placeholderData: keepPreviousData,
  });
}

/** All nodes of a graph, page by page. */
export function graphQuery(id: string) {
  return queryOptions({
    queryKey: ["graph", id],
    queryFn: async ({ signal }): Promise<Graph> => {
      const path = `/v1/tasks/${segment(id)}/graph`;
      const first = await get<Graph>(path, { limit: 1000 }, signal);
      const nodes = [...first.nodes];
      for (let next = first.next; next !== null; ) {
        const page: Graph = await get<Graph>(path, { limit: 1000, cursor: next }, signal);
        nodes.push(...page.nodes);
        next = page.next;
      }
      return { ...first, nodes };
    },
  });
}

export function attemptsOfTaskQuery(id: string) {
  return queryOptions({
    queryKey: ["attempts of", id],
    queryFn: ({ signal }) => get<AttemptsOfTask>(`/v1/tasks/${segment(id)}/attempts`, { limit: 1000 }, signal),
    refetchInterval: ({ state }) => (state.data?.attempts.some(mayGoOn) === true ? processEndMs : false),
  });
}

/** No event tells when the process of an attempt ends that was given up: so often it is looked for, for a while. */
const processEndMs = 2_000;
const processEndMsMax = 60_000;

function mayGoOn({ outcome, endedAt, processEndedAt }: Attempt): boolean {
  if (endedAt === undefined || processEndedAt !== undefined) return false;
  return (outcome === "killed" || outcome === "cancelled") && Date.now() - endedAt < processEndMsMax;
}

/** On the page of their parent; all of them are on its family page. */
const childrenShown = 20;

/** @param hasFailed true to show those that have failed before all others */
export function childrenQuery(id: string, generation: Generation, hasFailed = false) {
  return queryOptions({
    queryKey: ["children", id, generation, hasFailed],
    queryFn: async ({ client, signal }): Promise<ChildPage> => {
      const query = { generation, limit: childrenShown };
      if (!hasFailed) return readChildren(client, id, query, signal);
      const [page, { tasks: failed }] = await Promise.all([
        readChildren(client, id, query, signal),
        readChildren(client, id, { ...query, state: "failed" }, signal),
      ]);
      const others = page.tasks.filter((task) => !failed.some((each) => each.id === task.id));
      const all = [...failed, ...others];
      return { ...page, tasks: all.slice(0, childrenShown), cursor: all.length > childrenShown ? "" : page.cursor };
    },
  });
}

/** Children of a MapReduce job beyond so many are not read. */
const jobChildrenMax = 4_000;

/** All maps and reduces of a job since it began from scratch, those that ran again too. */
export function jobChildrenQuery(id: string) {
  return queryOptions({
    queryKey: ["job children", id],
    meta: { of: [] },
    queryFn: async ({ client, signal }) => {
      const tasks: Task[] = [];
      let cursor: string | null = null;
      do {
        const page: ChildPage = await readChildren(client, id, { generation: "present", limit: 1000, cursor }, signal);
        tasks.push(...page.tasks);
        cursor = page.cursor ?? null;
      } while (cursor !== null && tasks.length < jobChildrenMax);
      return { tasks, isCut: cursor !== null };
    },
    // Children change with every commit; a large job is not read again each second.
    refetchInterval: uncommittedMs,
  });
}

/** Few enough for one page, as those of a MapReduce job. */
export function stepsQuery(id: string) {
  return queryOptions({
    queryKey: ["steps", id],
    queryFn: ({ signal }) => get<StepPage>(`/v1/tasks/${segment(id)}/steps`, { limit: 100 }, signal),
  });
}

export function stepPagesQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ["step pages", id],
    queryFn: ({ pageParam, signal }) =>
      get<StepPage>(`/v1/tasks/${segment(id)}/steps`, { limit: 100, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
  });
}

export function artifactsQuery(id: string) {
  return queryOptions({
    queryKey: ["artifacts", id],
    queryFn: ({ signal }) => get<ArtifactList>(`/v1/tasks/${segment(id)}/artifacts`, {}, signal),
  });
}

const attemptsMs = 3_000;
const attemptsMsEach = 2;
/** More attempts than this are not shown in one period. */
const attemptsMax = 5_000;

/** Every attempt that fits, up to `attemptsMax`; those that have ended by when, then those that run. */
async function readAttempts(
  query: { readonly from: number; readonly to?: number; readonly worker?: string },
  signal: AbortSignal,
) {
  const attempts: TaskAttempt[] = [];
  let cursor: string | null = null;
  do {
    const path = "/v1/attempts";
    const page: TaskAttemptPage = await get<TaskAttemptPage>(path, { ...query, cursor, limit: 1000 }, signal);
    attempts.push(...page.attempts);
    cursor = page.cursor ?? null;
  } while (cursor !== null && attempts.length < attemptsMax);
  return { attempts, isCut: cursor !== null };
}

/** Attempts change with every commit: the more there are, the more seldom are they read again. */
function attemptsPace(known: { readonly attempts: readonly TaskAttempt[] } | undefined): number {
  return attemptsMs + (known?.attempts.length ?? 0) * attemptsMsEach;
}

/** The attempts that ran at some time between two instants. */
export function attemptsQuery(from: number, to: number) {
  return queryOptions({
    queryKey: ["attempts", from, to],
    meta: { of: [] },
    queryFn: ({ signal }) => readAttempts({ from, to }, signal),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => attemptsPace(state.data),
    // A period that was left is not kept.
    gcTime: attemptsMs,
  });
}

/** The attempts that ran on a worker at some time of the last `spanMs`. */
export function attemptsOnQuery(worker: string, spanMs: number) {
  return queryOptions({
    queryKey: ["attempts on", worker, spanMs],
    meta: { of: [] },
    queryFn: ({ signal }) => readAttempts({ from: Date.now() - spanMs, worker }, signal),
    refetchInterval: ({ state }) => attemptsPace(state.data),
  });
}

/** A task of a list of attempts, of which there may be many: it has a pace of its own. */
export function presentTaskQuery(id: string) {
  return queryOptions({
    queryKey: ["present", id],
    meta: { of: [] },
    queryFn: ({ client, signal }) => getTasks<Task>(client, `/v1/tasks/${segment(id)}`, {}, signal),
    refetchInterval: attemptsMs,
  });
}
