/** The endpoints for templates, against a fake master; every answer is held against the schema that describes it. */
import { Ajv2020 } from "ajv/dist/2020.js";
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { limitKeyword } from "../../model/schema.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "../http/server.ts";
import { components } from "../schemas/components.ts";
import { templateRoutes } from "./templateRoutes.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const ajv = new Ajv2020({ keywords: [limitKeyword, "components"], strictTypes: false, discriminator: true });
ajv.addSchema({ $id: "outlast", components: { schemas: components } });

let master: FakeMasterApi;
let api: ApiServer;

beforeEach(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterEach(() => api.close());

/** Makes the call and checks the answer against the schema of its route and status. */
async function call(method: "GET" | "POST" | "PUT" | "DELETE", url: string, more: InjectOptions = {}) {
  const response = await api.http.inject({ method, url, headers: { host: "localhost" }, ...more });
  const parts = url.split("?")[0]!.split("/");
  const route = templateRoutes.find(({ method: its, path }) => {
    const pattern = path.split("/");
    const isAlike = pattern.every((part, index) => part.startsWith(":") || part === parts[index]);
    return its === method && pattern.length === parts.length && isAlike;
  });
  const schema = response.statusCode >= 400 ? "Error" : route?.answers[response.statusCode]?.schema;
  if (schema !== undefined) {
    const validate = ajv.getSchema(`outlast#/components/schemas/${schema}`)!;
    void validate(response.json());
    expect(validate.errors).toBeNull();
  }
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
