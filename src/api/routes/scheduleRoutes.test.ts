/** The endpoints for schedules, against a fake master; every answer is held against the schema that describes it. */
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectSchema, schemaOfAnswer } from "../../proof/fakes/answerSchemas.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { scheduleRoutes } from "./scheduleRoutes.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

/** Makes the call and checks the answer against the schema of its route and status. */
async function call(method: "GET" | "POST" | "PUT" | "DELETE", url: string, payload?: InjectOptions["payload"]) {
  const headers = { host: "localhost" };
  const response = await api.http.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  const schema = schemaOfAnswer(scheduleRoutes, method, url, response.statusCode);
  if (schema === undefined)
    throw new Error(`${method} ${url} answered ${response.statusCode}, which its route does not say.`);
  expectSchema(schema, response.json());
  return response;
}

const nap = { kind: "sleep", input: { seconds: 1 } };
const everyMinute = { when: { everyMs: 60_000 }, task: nap };

describe("schedules", () => {
  test("are put, read, listed and removed", async () => {
    const put = await call("PUT", "/v1/schedules/s", everyMinute);
    expect(put.statusCode).toBe(201);
    expect(put.json()).toMatchObject({ name: "s", nextAt: 60_000, isNew: true });
    expect((await call("GET", "/v1/schedules/s")).json()).toMatchObject({ name: "s", content: everyMinute, fired: 0 });
    expect((await call("GET", "/v1/schedules?limit=5")).json().schedules).toHaveLength(1);
    expect((await call("DELETE", "/v1/schedules/s")).json()).toEqual({ name: "s", isRemoved: true });
    expect((await call("GET", "/v1/schedules/s")).statusCode).toBe(404);
    expect((await call("DELETE", "/v1/schedules/s")).statusCode).toBe(404);
  });

  test("are paused, resumed and triggered", async () => {
    await call("PUT", "/v1/schedules/s", everyMinute);
    expect((await call("POST", "/v1/schedules/s/pause")).json()).toEqual({ name: "s", isPaused: true });
    expect((await call("GET", "/v1/schedules/s")).json()).toMatchObject({ isPaused: true });
    expect((await call("POST", "/v1/schedules/s/resume")).json()).toEqual({ name: "s", isPaused: false });
    const run = await call("POST", "/v1/schedules/s/trigger");
    expect(run.statusCode).toBe(201);
    expect(run.json()).toMatchObject({ id: "s@trigger-1", isNew: true });
    for (const verb of ["pause", "resume", "trigger"]) {
      expect((await call("POST", `/v1/schedules/none/${verb}`)).statusCode).toBe(404);
    }
  });

  test("are backfilled, part by part", async () => {
    await call("PUT", "/v1/schedules/s", everyMinute);
    const answer = await call("POST", "/v1/schedules/s/backfill", { from: 60_000, to: 180_000, isDryRun: true });
    expect(answer.json()).toEqual({ ticks: [{ at: 60_000, id: "s@1970-01-01T00:01:00Z" }], nextFrom: 60_001 });
    expect((await call("POST", "/v1/schedules/s/backfill", { from: 60_000 })).statusCode).toBe(200);
    expect((await call("POST", "/v1/schedules/none/backfill", { from: 0 })).statusCode).toBe(404);
    expect((await call("POST", "/v1/schedules/s/backfill", { from: 9, to: 8 })).statusCode).toBe(422);
    for (const wrong of [
      {},
      { to: 5 },
      { from: -1 },
      { from: "yesterday" },
      { from: 0, isDryRun: 1 },
      { from: 0, extra: 1 },
    ]) {
      expect((await call("POST", "/v1/schedules/s/backfill", wrong)).statusCode).toBe(422);
    }
  });

  test("are previewed without being there", async () => {
    const answer = await call("POST", "/v1/schedule-previews", { schedule: everyMinute, count: 3, name: "s" });
    expect(answer.json()).toMatchObject({ ticks: [{ at: 60_000, utc: "1970-01-01T00:01:00Z" }], warnings: [] });
    const later = { schedule: everyMinute, count: 1, from: 3_600_000 };
    const { ticks } = (await call("POST", "/v1/schedule-previews", later)).json<{ ticks: object[] }>();
    expect(ticks).toMatchObject([{ utc: "1970-01-01T01:00:00Z" }]);
    expect((await call("POST", "/v1/schedule-previews", { count: 3 })).statusCode).toBe(422);
    expect((await call("POST", "/v1/schedule-previews", { schedule: everyMinute, count: 101 })).statusCode).toBe(422);
  });

  test("are refused with what is wrong", async () => {
    const wrong = [
      { when: { everyMs: 10 }, task: nap },
      { when: { everyMs: 60_000 }, task: nap, overlap: "sometimes" },
      { when: { everyMs: 60_000 }, task: nap, jitter: 5 },
      { task: nap },
      { when: { cron: "" }, task: nap },
    ];
    for (const schedule of wrong) expect((await call("PUT", "/v1/schedules/s", schedule)).statusCode).toBe(422);
    expect((await call("PUT", "/v1/schedules/no%20name", everyMinute)).statusCode).toBe(400);
    expect((await call("PUT", "/v1/schedules/a@b", everyMinute)).statusCode).toBe(400);
    expect((await call("GET", "/v1/schedules?limit=0")).statusCode).toBe(400);
  });
});
