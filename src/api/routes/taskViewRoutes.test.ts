/** The endpoints for what belongs to tasks, against a fake master; every answer is held against the schema that describes it. */
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { expectAnswer } from "../../proof/fakes/answerSchemas.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { routes } from "./routes.ts";

const nap = { kind: "sleep", input: { seconds: 1 } };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

/** Makes the call and checks its answer. */
async function call(method: "GET" | "POST", url: string, more: InjectOptions = {}) {
  const response = await api.http.inject({ method, url, headers: { host: "localhost" }, ...more });
  expectAnswer(routes, method, url, response);
  return response;
}

describe("tasks", () => {
  test("are listed by parent or without one, but not by both", async () => {
    await call("GET", "/v1/tasks?parent=p~0123456789abcdef.0000001");
    expect(master.lastQuery).toMatchObject({ parent: "p~0123456789abcdef.0000001" });
    await call("GET", "/v1/tasks?roots=true");
    expect(master.lastQuery).toMatchObject({ isRoot: true });
    await call("GET", "/v1/tasks?roots=false&parent=p");
    expect(master.lastQuery).not.toHaveProperty("isRoot");
    const both = await call("GET", "/v1/tasks?roots=true&parent=p");
    expect([both.statusCode, both.json().error.path]).toEqual([400, "/roots"]);
  });

  test("are retried, once for each attempt", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    expect((await call("POST", "/v1/tasks/a/retry")).json()).toEqual({ id: "a", reopened: 0 });
    master.change("a" as TaskId, { attempt: 3, state: "failed" });
    const answer = await call("POST", "/v1/tasks/a/retry?attempt=3&fromScratch=true");
    expect(answer.json()).toEqual({ id: "a", reopened: 1 });
    expect(master.calls.at(-1)?.with).toEqual(["a", { attempt: 3, isFromScratch: true }]);
    expect((await call("POST", "/v1/tasks/none/retry")).statusCode).toBe(404);
    for (const query of ["attempt=-1", "attempt=x", "fromScratch=2", "scratch=true"])
      expect((await call("POST", `/v1/tasks/a/retry?${query}`)).statusCode).toBe(400);
  });

  test("show their children, steps and attempts", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    const id = "a~0123456789abcdef.0000001" as TaskId;
    const child = { ...master.tasks.get("a" as TaskId)!, id, parent: "a" as TaskId };
    master.tasks.set(id, child);
    const times = { host: "w" as WorkerId, boot: "b" as BootId, assignedAt: 10, startedAt: 11, endedAt: 20 };
    master.change("a" as TaskId, { attempt: 1, state: "success", ...times });
    const children = await call("GET", "/v1/tasks/a/children?state=created,failed&order=newest&limit=3&cursor=x");
    expect(children.json().tasks).toMatchObject([{ id, parent: "a" }]);
    expect((await call("GET", "/v1/tasks/a/steps?cursor=k&limit=1")).json()).toEqual({ steps: [], cursor: null });
    const attempt = { attempt: 1, worker: "w", boot: "b", assignedAt: 10, startedAt: 11, endedAt: 20 };
    const ended = { ...attempt, outcome: "success" };
    expect((await call("GET", "/v1/tasks/a/attempts")).json()).toEqual({ attempts: [ended], cursor: null });
    const all = await call("GET", "/v1/attempts?from=1&to=100&worker=w&limit=5");
    expect(all.json().attempts).toEqual([{ task: "a", name: "a", ...ended }]);
  });

  test("show in four words how they stand", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    const id = "a" as TaskId;
    const short = async () => (await call("GET", "/v1/tasks/a/status")).json();
    const createdAt = new Date(master.tasks.get(id)!.createdAt).toISOString();
    expect(Date.parse((await short())["created-at"])).toBe(Date.parse(createdAt));
    expect(await short()).toMatchObject({ state: "running", status: "unknown", node: null });
    for (const [state, expected] of [
      ["running", { state: "running", status: "unknown", node: "w" }],
      ["success", { state: "stopped", status: "good", node: "w" }],
      ["failed", { state: "stopped", status: "error", node: "w" }],
      ["cancelled", { state: "stopped", status: "error", node: "w" }],
      ["skipped", { state: "stopped", status: "unknown", node: "w" }],
    ] as const) {
      master.change(id, { state, host: "w" as WorkerId });
      expect(await short()).toMatchObject(expected);
    }
    expect((await call("GET", "/v1/tasks/none/status")).statusCode).toBe(404);
  });

  test.each([
    ["/v1/tasks/none/children", 404],
    ["/v1/tasks/none/steps", 404],
    ["/v1/tasks/none/attempts", 404],
    ["/v1/tasks/a/children?state=odd", 400],
    ["/v1/tasks/a/children?limit=0", 400],
    [`/v1/tasks/a/steps?limit=${limits.pageMax + 1}`, 400],
    ["/v1/tasks/a/attempts?cursor=", 400],
    ["/v1/attempts?from=-1", 400],
    ["/v1/attempts?to=soon", 400],
    ["/v1/attempts?worker=a%20b", 400],
    ["/v1/attempts?since=1", 400],
    ["/v1/tasks?parent=a/b", 400],
    ["/v1/tasks?roots=yes", 400],
  ])("are not shown for %s", async (path, status) => {
    await master.submit([{ ...nap, id: "a" }], null);
    expect((await call("GET", path)).statusCode).toBe(status);
  });
});
