/** Each endpoint once or more, against a fake master; every answer is held against the schema that describes it. */
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OutlastError } from "../../model/errors.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { WorkerView } from "../../model/worker.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import { expectAnswer } from "../../proof/fakes/answerSchemas.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { routes } from "./routes.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nap = { kind: "sleep", input: { seconds: 1 } };

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

/** What every answer must have. */
async function call(method: "GET" | "POST", url: string, more: InjectOptions = {}) {
  const response = await api.http.inject({ method, url, headers: { host: "localhost" }, ...more });
  expectAnswer(routes, method, url, response);
  expect(response.headers["x-outlast-epoch"]).toBe("3");
  expect(response.headers["x-outlast-seq"]).toBe(String(master.state.seq));
  expect(response.headers["x-content-type-options"]).toBe("nosniff");
  return response;
}

function chunk(attempt: number, offset: number, text: string, isTruncated = false): LogChunk {
  return { task: "a" as TaskId, attempt, offset, at: 1, bytes: Buffer.from(text), isTruncated };
}

describe("tasks", () => {
  test("are submitted, and found again when submitted again", async () => {
    const first = await call("POST", "/v1/tasks", {
      payload: { ...nap, id: "a" },
      headers: { host: "localhost", "idempotency-key": "k 1" },
    });
    expect(first.statusCode).toBe(201);
    expect(first.json()).toEqual({ id: "a", isNew: true });
    expect(first.headers["location"]).toBe("/v1/tasks/a");
    const second = await call("POST", "/v1/tasks", { payload: { ...nap, id: "a" } });
    expect(second.statusCode).toBe(200);
    expect(second.json()).toEqual({ id: "a", isNew: false });
    expect(master.calls.map((each) => each.with[1])).toEqual(["k 1", null]);
  });

  test("are submitted in batches, as JSON and as NDJSON", async () => {
    const json = await call("POST", "/v1/tasks/batch", { payload: { tasks: [{ ...nap, id: "a" }, nap] } });
    expect(json.statusCode).toBe(201);
    expect(json.json().tasks).toHaveLength(2);
    const lines = await call("POST", "/v1/tasks/batch", {
      payload: `${JSON.stringify({ ...nap, id: "b" })}\n\n${JSON.stringify({ ...nap, id: "a" })}\n`,
      headers: { host: "localhost", "content-type": "application/x-ndjson" },
    });
    expect(lines.json()).toEqual({
      tasks: [
        { id: "b", isNew: true },
        { id: "a", isNew: false },
      ],
    });
  });

  test("in NDJSON, errors name the line, whoever finds them", async () => {
    const send = (...lines: object[]) =>
      call("POST", "/v1/tasks/batch", {
        payload: `\n${lines.map((line) => JSON.stringify(line)).join("\n")}`,
        headers: { host: "localhost", "content-type": "application/x-ndjson" },
      });
    expect((await send(nap, { ...nap, prioritty: 1 })).json().error).toMatchObject({
      line: 3,
      path: "/tasks/1/prioritty",
    });
    expect((await send(nap, { kind: "sleep", input: {} })).json().error).toMatchObject({
      line: 3,
      path: "/tasks/1/input/seconds",
    });
    expect((await send({ kind: "sleep", input: {} })).json().error).toMatchObject({
      line: 2,
      path: "/tasks/0/input/seconds",
    });
    expect(master.tasks.size).toBe(0);
  });

  test("are read, listed and cancelled", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    expect((await call("GET", "/v1/tasks/a")).json()).toMatchObject({ id: "a", state: "created" });
    expect((await call("GET", "/v1/tasks/b")).json().error.code).toBe("not-found");
    const page = await call(
      "GET",
      "/v1/tasks?state=created,running&queue=q&name=n&host=h&order=oldest&limit=7&cursor=abc",
    );
    expect(page.json()).toMatchObject({ tasks: [{ id: "a" }], cursor: null });
    expect(master.lastQuery).toEqual({
      states: ["created", "running"],
      queue: "q",
      name: "n",
      host: "h",
      order: "oldest",
      limit: 7,
      cursor: "abc",
    });
    await call("GET", "/v1/tasks");
    expect(master.lastQuery).toEqual({ order: "newest", limit: limits.pageDefault, cursor: null });
    expect((await call("POST", "/v1/tasks/a/cancel")).json()).toEqual({ id: "a", state: "cancelled" });
    expect((await call("POST", "/v1/tasks/a/cancel", { payload: {} })).statusCode).toBe(200);
    expect((await call("POST", "/v1/tasks/b/cancel")).statusCode).toBe(404);
  });

  test("have logs that are whole, though a task ends before its last output arrives", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    master.change("a" as TaskId, { attempt: 1, state: "success", logBytes: 5 });
    const readLogs = master.readLogs.bind(master);
    let reads = 0;
    master.readLogs = (...place) => {
      reads += 1;
      if (reads === 2) master.addLogs(chunk(1, 0, "hello"));
      return readLogs(...place);
    };
    expect((await call("GET", "/v1/tasks/a/logs")).body).toBe("hello");
  });

  test("have logs that can be read from any byte on", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    const empty = await call("GET", "/v1/tasks/a/logs");
    expect(empty.headers).toMatchObject({
      "x-outlast-attempt": "0",
      "x-outlast-next-offset": "0",
      "x-outlast-truncated": "false",
    });
    master.change("a" as TaskId, { attempt: 2, state: "running" });
    master.addLogs(chunk(1, 0, "old"), chunk(2, 0, "hello "), chunk(2, 6, "world", true));
    const whole = await call("GET", "/v1/tasks/a/logs");
    expect(whole.body).toBe("hello world");
    expect(whole.headers).toMatchObject({
      "content-type": "text/plain; charset=utf-8",
      "x-outlast-attempt": "2",
      "x-outlast-next-offset": "11",
      "x-outlast-truncated": "true",
    });
    expect((await call("GET", "/v1/tasks/a/logs?offset=3")).body).toBe("lo world");
    const end = await call("GET", "/v1/tasks/a/logs?offset=11");
    expect([end.body, end.headers["x-outlast-next-offset"], end.headers["x-outlast-truncated"]]).toEqual([
      "",
      "11",
      "false",
    ]);
    expect((await call("GET", "/v1/tasks/a/logs?attempt=1")).body).toBe("old");
    expect((await call("GET", "/v1/tasks/a/logs?attempt=3")).statusCode).toBe(404);
    expect((await call("GET", "/v1/tasks/none/logs")).statusCode).toBe(404);
  });
});

describe("workers and queues", () => {
  const worker: WorkerView = {
    id: "w1" as WorkerId,
    boot: "b1" as BootId,
    capacity: 2,
    queues: ["default"],
    isDraining: false,
    state: "connected",
    changedAt: 1,
    hostname: "h",
    pid: 9,
    version: "0.1.0",
    running: 1,
    trouble: null,
    heardAt: null,
  };

  test("are listed, read and drained; a supervisor reports an exit", async () => {
    master.workerViews = [worker];
    expect((await call("GET", "/v1/workers")).json()).toEqual({ workers: [worker] });
    expect((await call("GET", "/v1/workers/w1")).json()).toEqual(worker);
    expect((await call("GET", "/v1/workers/w2")).statusCode).toBe(404);
    expect((await call("POST", "/v1/workers/w1/drain")).json()).toEqual({ id: "w1", isDraining: true });
    expect((await call("POST", "/v1/workers/w1/exits", { payload: { boot: "b1" } })).json()).toEqual({
      id: "w1",
      boot: "b1",
    });
    expect(master.calls.map((each) => each.name)).toEqual(["drainWorker", "reportExit"]);
  });

  test("queues are listed, paused and resumed", async () => {
    expect((await call("GET", "/v1/queues")).json().queues).toHaveLength(1);
    expect((await call("POST", "/v1/queues/mail/pause")).json()).toEqual({ name: "mail", isPaused: true });
    expect((await call("POST", "/v1/queues/mail/resume")).json()).toEqual({ name: "mail", isPaused: false });
    expect(master.calls.map((each) => each.with)).toEqual([
      ["mail", { isPaused: true }],
      ["mail", { isPaused: false }],
    ]);
  });
});

describe("the worker protocol", () => {
  const attach = attachRequest({ boot: "b1" as BootId });

  test("attaches with the address that the worker calls from", async () => {
    const answer = await call("POST", "/v1/workers/w1/sessions", {
      payload: { ...attach, fromTheFuture: 1 },
      remoteAddress: "::ffff:10.0.0.7",
    });
    expect(answer.json()).toMatchObject({ session: "3.1", epoch: 3 });
    expect(master.calls[0]?.with).toMatchObject(["w1", { boot: "b1" }, "10.0.0.7"]);
  });

  test("reports, with and without items", async () => {
    const started = { kind: "started", task: "a", attempt: 1, assignedAt: 4, startedAt: 5 };
    const result = {
      kind: "result",
      task: "a",
      attempt: 1,
      assignedAt: 4,
      boot: "b1",
      outcome: "success",
      startedAt: 5,
      endedAt: 6,
      output: { deep: [1] },
    };
    const body = {
      boot: "b1",
      session: "3.1",
      epoch: 3,
      items: [
        started,
        {
          kind: "progress",
          task: "a",
          attempt: 1,
          assignedAt: 4,
          id: 7,
          at: 5,
          done: 0.5,
          total: 3,
          text: "half of it (ok)",
        },
        result,
        { kind: "trouble", text: 'There is no directory "/x" (ENOENT).' },
        { kind: "trouble", text: null },
        { kind: "draining" },
        { kind: "bye" },
      ],
    };
    const answer = await call("POST", "/v1/workers/w1/reports", { payload: body });
    expect(answer.json()).toEqual({ epoch: 3, verdicts: [{ task: "a", attempt: 1, verdict: "committed" }] });
    expect(master.calls[0]?.with).toEqual(["w1", body]);
    expect((await call("POST", "/v1/workers/w1/reports", { payload: { ...body, items: [] } })).json()).toEqual({
      epoch: 3,
      verdicts: [],
    });
  });

  test("takes reports larger than other bodies, but no output beyond its bound", async () => {
    const item = (bytes: number) => ({
      kind: "result",
      task: "a",
      attempt: 1,
      assignedAt: 4,
      boot: "b1",
      outcome: "success",
      startedAt: 5,
      endedAt: 6,
      output: "x".repeat(bytes),
    });
    const send = (...items: object[]) =>
      call("POST", "/v1/workers/w1/reports", { payload: { boot: "b1", session: "3.1", epoch: 3, items } });
    const half = limits.resultBytesMax / 2;
    expect((await send(...Array.from({ length: 20 }, () => item(half)))).statusCode).toBe(200);
    const refused = await send(item(half), item(limits.resultBytesMax));
    expect(refused.statusCode).toBe(413);
    expect(refused.json().error).toMatchObject({ path: "/items/1/output", limit: "resultBytesMax" });
  });

  test("stores logs byte by byte", async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    const piece = { task: "a", attempt: 1, offset: 0, at: 1, base64: bytes.toString("base64"), isTruncated: false };
    const answer = await call("POST", "/v1/workers/w1/logs", { payload: { session: "3.1", chunks: [piece] } });
    expect(answer.statusCode).toBe(204);
    expect(Buffer.from(master.logs[0]!.bytes).equals(bytes)).toBe(true);
    for (const base64 of ["a", "a===", "%%%%", "AA=A"]) {
      const refused = await call("POST", "/v1/workers/w1/logs", {
        payload: { session: "3.1", chunks: [{ ...piece, base64 }] },
      });
      expect([base64, refused.statusCode]).toEqual([base64, 422]);
    }
  });
});

describe("the master itself", () => {
  test("tells its status", async () => {
    expect((await call("GET", "/v1/status")).json()).toMatchObject({
      role: "leader",
      isOpen: true,
      stats: { commits: 4 },
    });
  });

  test("is alive, and ready only with a leader and a store that is well", async () => {
    expect((await call("GET", "/healthz")).json()).toEqual({ status: "alive" });
    expect((await call("GET", "/readyz")).statusCode).toBe(200);
    master.state = { ...master.state, trouble: "disk full" };
    expect((await call("GET", "/readyz")).json()).toMatchObject({ isReady: false, trouble: "disk full" });
    master.state = { ...master.state, trouble: null, leader: null };
    expect((await call("GET", "/readyz")).statusCode).toBe(503);
  });

  test("is alive and not ready while its store is being opened", async () => {
    master.failures.set("status", new OutlastError("unavailable", "Still starting."));
    const get = (url: string) => api.http.inject({ url, headers: { host: "localhost" } });
    expect((await get("/healthz")).statusCode).toBe(200);
    expect((await get("/readyz")).json()).toMatchObject({ isReady: false, role: "starting" });
    expect((await get("/metrics")).statusCode).toBe(200);
    expect((await get("/v1/status")).json().error.code).toBe("unavailable");
  });

  test("shows metrics whose labels no client can choose freely", async () => {
    await master.submit([{ ...nap, id: "a" }], null);
    await call("GET", "/v1/tasks/a");
    await api.http.inject({ url: "/some/where/else", headers: { host: "localhost" } });
    const { body } = await call("GET", "/metrics");
    expect(body).toContain('outlast_tasks{state="created"} 1');
    expect(body).toContain("outlast_commits_total 4");
    expect(body).toContain("outlast_inbox_length 2");
    expect(body).toContain("outlast_workers_connected 1");
    expect(body).toContain('outlast_http_requests_total{route="/v1/tasks/:id",method="GET",status="200"} 1');
    expect(body).toContain('outlast_http_requests_total{route="none",method="any",status="404"} 1');
    expect(body).toContain("nodejs_eventloop_lag_p99_seconds");
    expect(body).not.toContain("some/where");
  });
});

describe("errors", () => {
  test("of the master pass through with their details", async () => {
    master.failures.set(
      "submit",
      new OutlastError("not-leader", "This master does not lead.", { leader: "http://other:7070" }),
    );
    const answer = await call("POST", "/v1/tasks", { payload: nap });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("1");
    expect(answer.json().error).toEqual({
      code: "not-leader",
      message: "This master does not lead.",
      leader: "http://other:7070",
    });
  });

  test("of the store are no fault of ours", async () => {
    master.failures.set("readTask", new StoreUnavailable("full", "disk full"));
    expect((await call("GET", "/v1/tasks/a")).json().error).toMatchObject({ code: "unavailable", reason: "full" });
  });

  test("that are bugs show nothing and log everything", async () => {
    const logged: object[] = [];
    await api.close();
    api = createApi({
      master,
      log: { ...silent, error: (_message, fields) => logged.push(fields ?? {}) },
      token: null,
    });
    master.failures.set("readTask", new Error("secret detail"));
    const answer = await call("GET", "/v1/tasks/a");
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("secret detail");
    expect(answer.body).not.toContain(" at ");
    expect(logged).toMatchObject([
      { request: answer.json().error.request, route: "/v1/tasks/:id", stack: expect.stringContaining("secret detail") },
    ]);
  });
});
