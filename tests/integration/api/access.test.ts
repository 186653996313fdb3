/** Every route with every role, for things in the caller's queues and for things outside of them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Route } from "../../../src/api/routes/route.ts";
import { routes } from "../../../src/api/routes/routes.ts";
import { mayRole, type Role, roles } from "../../../src/model/principals/principal.ts";
import { attachRequest } from "../../../src/proof/fakes/attachRequest.ts";
import { type Call, GuardedApi, rootToken } from "./guardedApi.ts";

const guarded = new GuardedApi(rootToken);
const callers = new Map<Role, Call>();
/** Bound to `own`, as everybody but the admin can be. */
const bound = { queues: ["own"] };
const nap = (queue: string) => ({ kind: "sleep", input: { seconds: 1 }, queue });

beforeAll(async () => {
  await guarded.start();
  const { root } = guarded;
  for (const role of roles)
    callers.set(role, await guarded.token({ name: `of-${role}`, role, ...(role !== "admin" && bound) }));
  for (const queue of ["own", "foreign"]) {
    expect((await root("PUT", `/v1/templates/template-${queue}`, { task: nap(queue) })).status).toBe(201);
    const schedule = { when: { everyMs: 3_600_000 }, task: nap(queue) };
    expect((await root("PUT", `/v1/schedules/schedule-${queue}`, schedule)).status).toBe(201);
    const webhook = { url: "https://example.com/", queues: [queue] };
    expect((await root("PUT", `/v1/webhooks/webhook-${queue}`, webhook)).status).toBe(201);
    const attach = { ...attachRequest(), queues: [queue] };
    expect((await root("POST", `/v1/workers/worker-${queue}/sessions`, attach)).status).toBe(200);
  }
});
afterAll(() => guarded.stop());

function formOf(task: object): FormData {
  const form = new FormData();
  form.append("task", JSON.stringify(task));
  return form;
}

interface Sample {
  readonly path?: string;
  readonly body?: unknown;
}

/** A request of each route for something in a queue. `id` is that of a fresh task there. */
const samples: { readonly [name: string]: (queue: string, id: string) => Sample } = {
  submitTask: (queue) => ({ body: nap(queue) }),
  submitTasks: (queue) => ({ body: { tasks: [nap("own"), nap(queue)] } }),
  submitForm: (queue) => ({ body: formOf(nap(queue)) }),
  listTasks: () => ({}),
  getTask: (_queue, id) => ({ path: `/v1/tasks/${id}` }),
  getShortStatus: (_queue, id) => ({ path: `/v1/tasks/${id}/status` }),
  listChildren: (_queue, id) => ({ path: `/v1/tasks/${id}/children` }),
  listSteps: (_queue, id) => ({ path: `/v1/tasks/${id}/steps` }),
  listAttemptsOfTask: (_queue, id) => ({ path: `/v1/tasks/${id}/attempts` }),
  listArtifacts: (_queue, id) => ({ path: `/v1/tasks/${id}/artifacts` }),
  getArtifact: (_queue, id) => ({ path: `/v1/tasks/${id}/artifacts/x` }),
  listAttempts: () => ({}),
  getGraph: (_queue, id) => ({ path: `/v1/tasks/${id}/graph` }),
  cancelTask: (_queue, id) => ({ path: `/v1/tasks/${id}/cancel` }),
  cancelTasks: (queue) => ({ path: "/v1/bulk/cancel", body: { filter: { queue } } }),
  retryTasks: (queue) => ({ path: "/v1/bulk/retry", body: { filter: { queue } } }),
  deleteTasks: (queue) => ({ path: "/v1/bulk/delete", body: { filter: { queue } } }),
  retryTask: (_queue, id) => ({ path: `/v1/tasks/${id}/retry` }),
  signalTask: (_queue, id) => ({ path: `/v1/tasks/${id}/signals`, body: { name: "go" } }),
  readLogs: (_queue, id) => ({ path: `/v1/tasks/${id}/logs` }),
  listTemplates: () => ({}),
  getTemplate: (queue) => ({ path: `/v1/templates/template-${queue}` }),
  putTemplate: (queue, id) => ({ path: `/v1/templates/${id}`, body: { task: nap(queue) } }),
  removeTemplate: (queue) => ({ path: `/v1/templates/template-${queue}` }),
  listTemplateVersions: (queue) => ({ path: `/v1/templates/template-${queue}/versions` }),
  getTemplateVersion: (queue) => ({ path: `/v1/templates/template-${queue}/versions/1` }),
  runTemplate: (queue) => ({ path: `/v1/templates/template-${queue}/run`, body: {} }),
  listSchedules: () => ({}),
  getSchedule: (queue) => ({ path: `/v1/schedules/schedule-${queue}` }),
  putSchedule: (queue, id) => ({
    path: `/v1/schedules/${id}`,
    body: { when: { everyMs: 3_600_000 }, task: nap(queue) },
  }),
  removeSchedule: (queue) => ({ path: `/v1/schedules/schedule-${queue}` }),
  pauseSchedule: (queue) => ({ path: `/v1/schedules/schedule-${queue}/pause` }),
  resumeSchedule: (queue) => ({ path: `/v1/schedules/schedule-${queue}/resume` }),
  triggerSchedule: (queue) => ({ path: `/v1/schedules/schedule-${queue}/trigger` }),
  backfillSchedule: (queue) => ({ path: `/v1/schedules/schedule-${queue}/backfill`, body: { from: 0, to: 1 } }),
  previewSchedule: () => ({ body: { schedule: { when: { everyMs: 3_600_000 }, task: nap("own") } } }),
  listWebhooks: () => ({}),
  getWebhook: (queue) => ({ path: `/v1/webhooks/webhook-${queue}` }),
  putWebhook: (queue) => ({
    path: `/v1/webhooks/webhook-${queue}`,
    body: { url: "https://example.com/", queues: [queue] },
  }),
  removeWebhook: (queue) => ({ path: `/v1/webhooks/webhook-${queue}` }),
  testWebhook: (queue) => ({ path: `/v1/webhooks/webhook-${queue}/test` }),
  listDeliveries: (queue) => ({ path: `/v1/webhooks/webhook-${queue}/deliveries` }),
  putBlob: () => ({ body: {} }),
  getBlob: () => ({ path: `/v1/blobs/${"0".repeat(64)}` }),
  releaseBlob: () => ({ path: `/v1/blobs/${"0".repeat(64)}` }),
  putObject: () => ({ path: "/v1/objects/x", body: {} }),
  getObject: () => ({ path: "/v1/objects/x" }),
  deleteObject: () => ({ path: "/v1/objects/x" }),
  listObjects: () => ({ path: "/v1/objects?folder=x" }),
  deleteObjects: () => ({ path: "/v1/objects?folder=x" }),
  listWorkers: () => ({}),
  getWorker: (queue) => ({ path: `/v1/workers/worker-${queue}` }),
  drainWorker: (queue) => ({ path: `/v1/workers/worker-${queue}/drain` }),
  reportExit: (queue) => ({ path: `/v1/workers/worker-${queue}/exits`, body: { boot: "another" } }),
  listQueues: () => ({}),
  limitQueue: (queue) => ({ path: `/v1/queues/${queue}/limits`, body: { concurrencyMax: 5 } }),
  pauseQueue: (queue) => ({ path: `/v1/queues/${queue}/pause` }),
  resumeQueue: (queue) => ({ path: `/v1/queues/${queue}/resume` }),
  followEvents: () => ({ path: "/v1/events?after=-1" }),
  followTasks: () => ({ path: "/v1/events?after=-1", body: {} }),
  getSession: () => ({}),
  signOut: () => ({}),
  changePassword: () => ({ body: { password: "x", newPassword: "y" } }),
  listUsers: () => ({}),
  addUser: (_queue, id) => ({ body: { name: id, role: "viewer", password: "correct horse" } }),
  changeUser: () => ({ path: "/v1/users/nobody", body: { role: "viewer" } }),
  removeUser: () => ({ path: "/v1/users/nobody" }),
  listTokens: () => ({}),
  addToken: (_queue, id) => ({ body: { name: id, role: "viewer" } }),
  removeToken: () => ({ path: "/v1/tokens/nobody" }),
  listAudit: () => ({}),
  getStatus: () => ({}),
  getHistory: () => ({}),
  listMarks: () => ({}),
  listMasters: () => ({}),
  passBarrier: () => ({}),
  getMetrics: () => ({}),
  getOpenApi: () => ({}),
  attachWorker: (queue) => ({
    path: `/v1/workers/new-${queue}/sessions`,
    body: { ...attachRequest(), queues: [queue] },
  }),
  openWorkerStream: () => ({ path: "/v1/workers/worker-own/stream" }),
  report: () => ({ path: "/v1/workers/worker-own/reports", body: {} }),
  readSteps: () => ({ path: "/v1/workers/worker-own/steps", body: {} }),
  readChildren: () => ({ path: "/v1/workers/worker-own/children", body: {} }),
  storeLogs: () => ({ path: "/v1/workers/worker-own/logs", body: {} }),
};

const guardedRoutes = routes.filter(({ access }) => access.needs !== "everybody");

async function ask(route: Route, role: Role, queue: string) {
  const call = callers.get(role)!;
  // The submitter's own where he may submit, so that he may also cancel it.
  const isOwn = queue === "own" && mayRole(role, "submit");
  const made = await (isOwn ? call : guarded.root)("POST", "/v1/tasks", nap(queue));
  expect(made.status).toBe(201);
  const { path = route.path, body } = samples[route.name]!(queue, made.body.id);
  return call(route.method, path, route.method === "GET" ? undefined : body);
}

test("every route has a sample", () => {
  expect(Object.keys(samples).toSorted()).toEqual(guardedRoutes.map(({ name }) => name).toSorted());
});

// What removes comes last, so that all others find what they ask for.
const inOrder = [...guardedRoutes].sort((one, other) => rank(one) - rank(other));
function rank({ method }: Route): number {
  return method === "DELETE" ? 1 : 0;
}

describe.each(inOrder.map((route) => [`${route.method} ${route.path}`, route] as const))("%s", (_name, route) => {
  const { needs, of, isForWorkers = false } = route.access;

  test("is refused without a credential", async () => {
    const { path = route.path, body } = samples[route.name]!("own", "x");
    expect((await guarded.as({})(route.method, path, route.method === "GET" ? undefined : body)).status).toBe(401);
    const wrong = guarded.as({ authorization: `Bearer olt_${"x".repeat(43)}` });
    const { status } = await wrong(route.method, path, route.method === "GET" ? undefined : body);
    // After many wrong ones its address has to wait.
    expect([401, 429]).toContain(status);
  });

  test.each(roles)("answers a %s as its access says", async (role) => {
    const isForIt = isForWorkers && role === "worker";
    const isAllowed = isForIt || needs === "everybody" || needs === "signed-in" || mayRole(role, needs);
    const own = await ask(route, role, "own");
    if (!isAllowed || (of === "all" && role !== "admin" && !isForIt)) return expect(own.status).toBe(403);
    expect(own.body.error?.code).not.toBe("unauthorized");
    expect(own.body.error?.code).not.toBe("forbidden");
  });
});

/** Each route that is about one thing, with each role that may call it and can be bound to queues. */
const ofOneQueue = inOrder.flatMap((route) => {
  const { needs, of } = route.access;
  if (needs === "everybody" || needs === "signed-in" || ["none", "all", "each"].includes(of)) return [];
  const isIts = (role: Role) => role !== "admin" && mayRole(role, needs);
  return roles.filter(isIts).map((role) => [`${route.method} ${route.path}`, role, route] as const);
});

test.each(ofOneQueue)("%s knows nothing outside of the queues of a %s", async (_name, role, route) => {
  const { status, body } = await ask(route, role, "foreign");
  if (route.access.needs !== "work") return expect([status, body.error?.code]).toEqual([404, "not-found"]);
  // What a worker says in a session is tested below.
  if (route.name === "attachWorker") expect([status, body.error.code]).toEqual([403, "forbidden"]);
});

const ofOwners = inOrder.filter(({ access }) => access.isOwnOnly === true && access.of === "task");

test.each(ofOwners)(
  "$method $path is for a submitter's own tasks, and for an operator for those of others",
  async (route) => {
    const statuses = [];
    for (const role of ["submitter", "operator"] as const) {
      const { id } = (await guarded.root("POST", "/v1/tasks", nap("own"))).body;
      const { path = route.path, body } = samples[route.name]!("own", id);
      statuses.push((await callers.get(role)!(route.method, path, body)).status);
    }
    expect(statuses[0]).toBe(403);
    expect(statuses[1]).toBeLessThan(300);
  },
);

test("nothing of others can be replaced by a thing of one's own", async () => {
  const operator = callers.get("operator")!;
  expect((await operator("PUT", "/v1/templates/template-foreign", { task: nap("own") })).status).toBe(404);
  const schedule = { when: { everyMs: 3_600_000 }, task: nap("own") };
  expect((await operator("PUT", "/v1/schedules/schedule-foreign", schedule)).status).toBe(404);
  const task = (await guarded.root("GET", "/v1/schedules/schedule-foreign")).body.content.task;
  expect(task.queue).toBe("foreign");
});

test("a worker's token neither takes the place of another worker nor speaks in its session", async () => {
  const attach = { ...attachRequest(), queues: ["own"] };
  const [first, second] = [callers.get("worker")!, await guarded.token({ name: "second", role: "worker", ...bound })];
  expect((await first("POST", "/v1/workers/worker-foreign/sessions", attach)).status).toBe(403);
  const { session, epoch } = (await first("POST", "/v1/workers/mine/sessions", attach)).body;
  const report = { boot: attach.boot, session, epoch, items: [] };
  expect((await first("POST", "/v1/workers/mine/reports", report)).status).toBe(200);
  const foreign = await second("POST", "/v1/workers/mine/reports", report);
  expect([foreign.status, foreign.body.error.code]).toEqual([409, "stale-session"]);
  const logs = await second("POST", "/v1/workers/mine/logs", { session, chunks: [] });
  expect(logs.body.error?.code).toBe("stale-session");
});

test("rights travel: what a task of a bound owner makes reaches no further", async () => {
  const submitter = callers.get("submitter")!;
  const { id } = (await submitter("POST", "/v1/tasks", { ...nap("own"), priority: 1000 })).body;
  expect((await submitter("GET", `/v1/tasks/${id}`)).body.rights).toEqual({ owner: "token:of-submitter" });
  const all = (await guarded.root("GET", `/v1/tasks/${id}`)).body;
  expect(all.rights).toEqual({ owner: "token:of-submitter", queues: ["own"] });
});

test("many tasks at once are only those of the caller's queues, and of a submitter only his own", async () => {
  const { root } = guarded;
  const ids: string[] = [];
  for (const queue of ["foreign", "own"]) ids.push((await root("POST", "/v1/tasks", nap(queue))).body.id);
  const own = (await callers.get("submitter")!("POST", "/v1/tasks", nap("own"))).body.id;
  const all = { filter: { state: ["created"] } };
  const [foreign, others] = ids as [string, string];
  const bySubmitter = (await callers.get("submitter")!("POST", "/v1/bulk/cancel", all)).body;
  expect(bySubmitter.tasks).toContain(own);
  expect(bySubmitter.refused).toContainEqual({ id: others, message: "It was submitted by somebody else." });
  expect(JSON.stringify(bySubmitter)).not.toContain(foreign);
  const byOperator = (await callers.get("operator")!("POST", "/v1/bulk/cancel", all)).body;
  expect(byOperator.tasks).toContain(others);
  const inForeign = { filter: { queue: "foreign" } };
  const cancelled = { filter: { state: ["cancelled"] } };
  expect((await callers.get("submitter")!("POST", "/v1/bulk/retry", cancelled)).body).toMatchObject({
    tasks: expect.arrayContaining([own]),
    refused: expect.arrayContaining([{ id: others, message: "It was submitted by somebody else." }]),
  });
  expect((await callers.get("operator")!("POST", "/v1/bulk/retry", cancelled)).body.tasks).toContain(others);
  for (const action of ["cancel", "delete", "retry"])
    expect((await callers.get("operator")!("POST", `/v1/bulk/${action}`, inForeign)).body).toEqual({
      ...{ tasks: [], refused: [], cursor: null },
    });
  expect((await root("GET", `/v1/tasks/${foreign}`)).body.state).toBe("created");
});

test("a retry is for the owner of a task, and stands in the audit", async () => {
  const [submitter, operator] = [callers.get("submitter")!, callers.get("operator")!];
  const { id } = (await submitter("POST", "/v1/tasks", nap("own"))).body;
  await submitter("POST", `/v1/tasks/${id}/cancel`);
  const other = await guarded.token({ name: "other-submitter", role: "submitter", ...bound });
  const refused = await other("POST", `/v1/tasks/${id}/retry`);
  expect([refused.status, refused.body.error.code]).toEqual([403, "forbidden"]);
  expect((await submitter("POST", `/v1/tasks/${id}/retry`)).body).toEqual({ id, reopened: 1 });
  await operator("POST", `/v1/tasks/${id}/cancel`);
  expect((await operator("POST", `/v1/tasks/${id}/retry`)).body).toEqual({ id, reopened: 1 });
  expect((await operator("POST", `/v1/tasks/${id}/retry`)).body).toEqual({ id, reopened: 0 });
  const audit: Record<"action" | "by" | "outcome" | "target", string>[] = (await guarded.root("GET", "/v1/audit")).body
    .records;
  const retries = audit.filter(({ action, target }) => action === "retry" && target === id);
  expect(retries.map(({ by, outcome }) => `${by} ${outcome}`).toSorted()).toEqual([
    "token:of-operator done",
    "token:of-submitter done",
    "token:other-submitter refused",
  ]);
});

test("lists, counts and queues hold nothing of others", async () => {
  const viewer = callers.get("viewer")!;
  await guarded.root("POST", "/v1/tasks", nap("foreign"));
  await guarded.root("POST", "/v1/tasks", nap("own"));
  const { tasks } = (await viewer("GET", "/v1/tasks?limit=1000")).body;
  expect(new Set(tasks.map(({ queue }: { queue: string }) => queue))).toEqual(new Set(["own"]));
  expect((await viewer("GET", "/v1/tasks?queue=foreign")).body.tasks).toEqual([]);
  expect((await viewer("GET", "/v1/queues")).body.queues.map(({ name }: { name: string }) => name)).toEqual(["own"]);
  const workers = (await viewer("GET", "/v1/workers")).body.workers as { queues: string[] }[];
  expect(workers.flatMap(({ queues }) => queues)).not.toContain("foreign");
  const ownCount = Object.values((await viewer("GET", "/v1/queues")).body.queues[0].tasks).reduce(sum, 0);
  expect(Object.values((await viewer("GET", "/v1/status")).body.stats.tasks).reduce(sum, 0)).toBe(ownCount);
  const all = Object.values((await guarded.root("GET", "/v1/status")).body.stats.tasks).reduce(sum, 0);
  expect(all).toBeGreaterThan(ownCount as number);
  expect((await viewer("GET", "/v1/templates")).body.templates.map(nameOf)).not.toContain("template-foreign");
  expect((await viewer("GET", "/v1/schedules")).body.schedules.map(nameOf)).not.toContain("schedule-foreign");
});

test("the audit record calls what was refused as it calls what was done", async () => {
  expect((await callers.get("viewer")!("POST", "/v1/workers/worker-own/drain")).status).toBe(403);
  const actions = async () => {
    const { records } = (await guarded.root("GET", "/v1/audit?outcome=refused&limit=1000")).body;
    return records.map(({ action }: { action: string }) => action) as string[];
  };
  await expect.poll(actions, { timeout: 20_000 }).toContain("drain-worker");
  expect((await actions()).filter((action) => /[A-Z]/.test(action))).toEqual([]);
});

function sum(total: unknown, each: unknown): number {
  return Number(total) + Number(each);
}

function nameOf({ name }: { name: string }): string {
  return name;
}
