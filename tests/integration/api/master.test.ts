/** The API over a real master and the memory store: a task's whole life as clients and workers see it through HTTP. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ApiServer, createApi } from "../../../src/api/http/server.ts";
import { Master } from "../../../src/master/master.ts";
import type { StreamMessage } from "../../../src/model/protocol.ts";
import type { TaskDocument } from "../../../src/model/task.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { SystemIds } from "../../../src/node/ids.ts";
import { attachRequest } from "../../../src/proof/fakes/attachRequest.ts";
import { RawConnection } from "../../../src/proof/fakes/rawHttp.ts";
import { MemoryStore } from "../../../src/stores/memory/store.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const nap = { kind: "sleep", input: { seconds: 1 } };

let master: Master;
let api: ApiServer;
let url: string;
const connections: RawConnection[] = [];

beforeEach(async () => {
  const ids = new SystemIds();
  master = new Master({
    name: "m1",
    address: "http://127.0.0.1:0",
    store: new MemoryStore({ ids }),
    clock: new SystemClock(),
    ids,
    log: silent,
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => {} }), probe: async () => "unknown" },
  });
  api = createApi({ master: master.service, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  await master.start(url);
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await api.close();
  await master.stop();
});

async function post(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
}

async function get<Body>(path: string): Promise<Body> {
  return (await (await fetch(url + path)).json()) as Body;
}

async function open(path: string): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  connections.push(connection);
  connection.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await connection.until("\r\n\r\n");
  return connection;
}

function dataOf<Data>(stream: RawConnection): Data[] {
  return [...stream.received.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]!) as Data);
}

const attach = attachRequest();

async function startWorker() {
  const { body } = await post("/v1/workers/w1/sessions", attach);
  const stream = await open(`/v1/workers/w1/stream?session=${body.session}`);
  return { session: body.session as string, epoch: body.epoch as number, stream };
}

describe("the API over a real master", () => {
  test("takes a task from submission to success, with logs and events on the way", async () => {
    const events = await open("/v1/events");
    const { session, epoch, stream } = await startWorker();
    const submitted = await post("/v1/tasks", { ...nap, id: "a", name: "nap" });
    expect([submitted.status, submitted.body]).toEqual([201, { id: "a", isNew: true }]);

    await stream.until('"assign"');
    const message = dataOf<StreamMessage>(stream).find(({ kind }) => kind === "assign");
    const [assigned] = message?.kind === "assign" ? message.assignments : [];
    expect(assigned).toMatchObject({ task: "a", attempt: 1, name: "nap", kind: "sleep", input: { seconds: 1 } });
    const issued = { task: "a", attempt: 1, assignedAt: assigned?.assignedAt };
    const follower = await open("/v1/tasks/a/logs?follow=true");

    const piece = { task: "a", attempt: 1, offset: 0, at: Date.now(), base64: btoa("hello\n"), isTruncated: false };
    for (const _time of [1, 2])
      expect((await post("/v1/workers/w1/logs", { session, chunks: [piece] })).status).toBe(204);
    const now = Date.now();
    const result = {
      kind: "result",
      ...issued,
      boot: "boot-1",
      outcome: "success",
      startedAt: now,
      endedAt: now,
      output: 42,
      logBytes: 6,
    };
    const report = {
      boot: "boot-1",
      session,
      epoch,
      items: [{ kind: "started", ...issued, startedAt: now }, result],
    };
    const verdicts = await post("/v1/workers/w1/reports", report);
    expect(verdicts.body).toEqual({
      epoch,
      verdicts: [{ task: "a", attempt: 1, verdict: "committed" }],
      acks: [],
    });

    const task = await get<TaskDocument>("/v1/tasks/a");
    expect(task).toMatchObject({ state: "success", attempt: 1, host: "w1", output: 42 });
    expect(await (await fetch(`${url}/v1/tasks/a/logs`)).text()).toBe("hello\n");
    expect(await follower.closed()).toMatch(/"text":"hello\\n".*event: end/s);
    expect(await events.until('"success"')).toMatch(/"state":"running".*"state":"success"/s);
    expect((await post("/v1/tasks/a/cancel")).body.error).toMatchObject({ code: "already-final", state: "success" });
    expect(Number(verdicts.headers.get("x-outlast-seq"))).toBeGreaterThan(0);
  });

  test("creates a task once however often it is submitted, and refuses another under its key", async () => {
    const key = { "idempotency-key": "order 7" };
    const first = await post("/v1/tasks", nap, key);
    const again = await post("/v1/tasks", nap, key);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual({ id: first.body.id, isNew: false });
    expect((await post("/v1/tasks", { ...nap, priority: 1 }, key)).body.error.code).toBe("conflict");
    const batch = { tasks: [nap, nap] };
    const many = await post("/v1/tasks/batch", batch, { "idempotency-key": "orders" });
    expect((await post("/v1/tasks/batch", batch, { "idempotency-key": "orders" })).body.tasks).toEqual(
      many.body.tasks.map((task: object) => ({ ...task, isNew: false })),
    );
    expect((await get<{ tasks: unknown[] }>("/v1/tasks")).tasks).toHaveLength(3);
  });

  test("names the place of what only the master finds wrong", async () => {
    const bad = { kind: "sleep", input: { seconds: -1 } };
    expect((await post("/v1/tasks", bad)).body.error.path).toBe("/input/seconds");
    expect((await post("/v1/tasks/batch", { tasks: [bad] })).body.error.path).toBe("/tasks/0/input/seconds");
    expect((await post("/v1/tasks/batch", { tasks: [nap, bad] })).body.error.path).toBe("/tasks/1/input/seconds");
    expect((await get<{ tasks: unknown[] }>("/v1/tasks")).tasks).toEqual([]);
  });

  test("pages through tasks, and refuses a cursor that is none", async () => {
    await post("/v1/tasks/batch", { tasks: Array.from({ length: 5 }, (_, index) => ({ ...nap, id: `t${index}` })) });
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { tasks: TaskDocument[]; cursor: string | null } = await get(
        `/v1/tasks?order=oldest&limit=2${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      seen.push(...page.tasks.map((task) => task.id));
      cursor = page.cursor;
    }
    expect(seen.toSorted()).toEqual(["t0", "t1", "t2", "t3", "t4"]);
    expect(await get("/v1/tasks?cursor=nonsense!")).toMatchObject({ error: { code: "bad-request" } });
  });

  test("shows workers and queues, drains and pauses, and sees a worker vanish", async () => {
    const { stream } = await startWorker();
    expect(await get("/v1/workers/w1")).toMatchObject({ id: "w1", state: "connected", capacity: 2 });
    expect((await post("/v1/queues/default/pause")).body).toEqual({ name: "default", isPaused: true });
    expect(await get("/v1/queues")).toMatchObject({ queues: [{ name: "default", isPaused: true }] });
    expect((await post("/v1/workers/w1/drain")).body).toEqual({ id: "w1", isDraining: true });
    await stream.until('"drain"');
    stream.socket.resetAndDestroy();
    await expect.poll(async () => (await get<{ state: string }>("/v1/workers/w1")).state).not.toBe("connected");
    expect((await post("/v1/workers/none/drain")).body.error.code).toBe("not-found");
  });

  test("holds a worker to its session", async () => {
    const { session, epoch } = await startWorker();
    const beat = { boot: "boot-1", session, epoch, items: [] };
    expect((await post("/v1/workers/w1/reports", beat)).body).toEqual({ epoch, verdicts: [], acks: [] });
    expect((await post("/v1/workers/w2/reports", beat)).body.error.code).toBe("stale-session");
    const ofTomorrow = { ...attach, protocol: 99, protocolMin: 99, protocolMax: 99 };
    expect((await post("/v1/workers/w1/sessions", ofTomorrow)).body.error.code).toBe("bad-request");
  });

  test("tells the whole journal from its beginning", async () => {
    for (let index = 0; index < 20; index++) await post("/v1/tasks", { ...nap, id: `t${index}` });
    const stream = await open("/v1/events?after=0");
    await stream.until('"t19"');
    const ids = [...stream.received.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index + 1));
  });
});
