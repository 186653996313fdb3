/** The endpoints for templates, against a fake master; every answer is held against the schema that describes it. */
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { expectAnswer } from "../../proof/fakes/answerSchemas.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { templateRoutes } from "./templateRoutes.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

/** Makes the call and checks its answer. */
async function call(method: "GET" | "POST" | "PUT" | "DELETE", url: string, more: InjectOptions = {}) {
  const response = await api.http.inject({ method, url, headers: { host: "localhost" }, ...more });
  expectAnswer(templateRoutes, method, url, response);
  return response;
}

describe("templates", () => {
  const template = { variables: { n: { type: "integer" } }, task: { kind: "resize", input: { n: "${n}" } } };

  test("are put, read, listed, run and removed", async () => {
    expect((await call("PUT", "/v1/templates/t", { payload: template })).statusCode).toBe(201);
    expect((await call("GET", "/v1/templates/t")).json()).toMatchObject({ name: "t", version: 1, ...template });
    expect((await call("GET", "/v1/templates/t/versions/1")).json()).toMatchObject({ version: 1 });
    expect((await call("GET", "/v1/templates/t/versions")).json().versions).toHaveLength(1);
    expect((await call("GET", "/v1/templates?limit=5")).json().templates).toHaveLength(1);
    const run = await call("POST", "/v1/templates/t/run", { payload: { variables: { n: 3 }, id: "r" } });
    expect(run.statusCode).toBe(201);
    expect(run.headers["location"]).toBe("/v1/tasks/r");
    expect((await call("GET", "/v1/tasks/r")).json().input).toEqual({ n: 3 });
    expect((await call("DELETE", "/v1/templates/t")).json()).toEqual({ name: "t", isRemoved: true });
    expect((await call("GET", "/v1/templates/t")).statusCode).toBe(404);
    expect((await call("DELETE", "/v1/templates/t")).statusCode).toBe(404);
  });

  test("are refused with everything that is wrong", async () => {
    const wrong = { task: { kind: "x", input: ["${a}", "${b}"] } };
    const refused = await call("PUT", "/v1/templates/t", { payload: wrong });
    expect(refused.statusCode).toBe(422);
    expect(refused.json().error.problems).toHaveLength(2);
    await call("PUT", "/v1/templates/t", { payload: template });
    const run = await call("POST", "/v1/templates/t/run", { payload: { variables: { m: 1 } } });
    expect(run.statusCode).toBe(422);
    expect(run.json().error.problems).toHaveLength(2);
    expect((await call("POST", "/v1/templates/none/run", { payload: {} })).statusCode).toBe(404);
    expect((await call("PUT", "/v1/templates/no%20name", { payload: template })).statusCode).toBe(400);
    expect((await call("GET", "/v1/templates/t/versions/0")).statusCode).toBe(400);
  });
});
