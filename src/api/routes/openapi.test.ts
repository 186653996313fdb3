/** The OpenAPI document: valid by itself, and the same as what is served. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { errorStatus, OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import { taskStates } from "../../model/task.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { createApi } from "../http/server.ts";
import { checkBody } from "../http/validation.ts";
import { components } from "../schemas/components.ts";
import { routes } from "./routes.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Document {
  readonly openapi: string;
  readonly paths: {
    readonly [path: string]: {
      readonly [method: string]: { readonly operationId: string; readonly responses: object };
    };
  };
  readonly components: { readonly schemas: { readonly [name: string]: object } };
}

async function served(): Promise<Document> {
  const api = createApi({ master: new FakeMasterApi(), log: silent, token: null });
  const response = await api.http.inject({ url: "/openapi.json", headers: { host: "localhost" } });
  await api.close();
  return response.json();
}

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const document = await served();
    expect(document.openapi).toMatch(/^3\.1\./);
    const result = await new Validator().validate({ ...document });
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  test("describes every route and nothing else", async () => {
    const document = await served();
    const api = createApi({ master: new FakeMasterApi(), log: silent, token: null });
    await api.http.ready();
    let count = 0;
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods)) {
        const url = path.replace(/\{(\w+)\}/g, ":$1");
        const served = api.http.hasRoute({ method: method.toUpperCase(), url });
        expect([method, url, served]).toEqual([method, url, true]);
        count++;
      }
    }
    await api.close();
    expect(count).toBe(routes.length);
    const names = routes.map((route) => route.name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("names no schema that is not there, and has none that is never named", async () => {
    const document = await served();
    const text = JSON.stringify(document);
    const named = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]!));
    const { schemas } = document.components;
    expect([...named].filter((name) => !(name in schemas))).toEqual([]);
    expect(Object.keys(schemas).filter((name) => !named.has(name))).toEqual([]);
  });

  // Masters take it for granted when they start.
  test("is made of valid schemas", () => {
    const ofParameters = routes.flatMap(({ name, parameters = {}, query = {}, headers = {} }) =>
      Object.entries({ ...parameters, ...query, ...headers }).map(([key, schema]) => [`${key} of ${name}`, schema]),
    );
    const schemas = [...Object.entries(components), ...ofParameters] as [string, object][];
    const ajv = new Ajv2020({ strict: false });
    const wrong = schemas.filter(([, schema]) => ajv.validateSchema(schema) !== true);
    expect(wrong.map(([name]) => name)).toEqual([]);
    expect(ajv.validateSchema({ type: "objekt" })).toBe(false);
  });

  test("types the input of a submission by its kind, as the master checks it", async () => {
    const document = await served();
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ ...document, $id: "document" });
    const validate = ajv.getSchema("document#/components/schemas/Submission")!;
    const submissions: [object, boolean][] = [
      [{ kind: "sleep", input: { seconds: 1 } }, true],
      [{ kind: "exec", input: { command: ["ls", "-l"] }, queue: "q" }, true],
      [{ kind: "resize", input: [1, "any", null] }, true],
      [{ kind: "exec", input: { command: "ls -l", shell: true } }, true],
      [{ kind: "exec", input: { command: 5 } }, false],
      [{ kind: "sleep", input: { command: ["ls"] } }, false],
      [{ kind: "exec" }, false],
      [{ kind: "graph", input: {} }, false],
      [{ kind: "sleep", input: { seconds: 1 }, prioritty: 1 }, false],
    ];
    for (const [submission, isValid] of submissions) {
      expect([submission, validate(submission)]).toEqual([submission, isValid]);
      const checked = () => {
        checkBody("Submission")(submission);
        toSpec(submission as Submission, { id: "a" as TaskId, fingerprint: null, now: 0 }, "");
      };
      if (isValid) expect(checked).not.toThrow();
      else expect(checked).toThrow(OutlastError);
    }
  });

  test("has the states of a task as an enumeration, also where a list is filtered by them", async () => {
    const document = await served();
    const list = document.paths["/v1/tasks"]!["get"]! as unknown as { parameters: { name: string }[] };
    const states = { $ref: "#/components/schemas/TaskState" };
    expect(list.parameters.find(({ name }) => name === "state")).toMatchObject({
      ...{ style: "form", explode: false },
      schema: { type: "array", items: states },
    });
    expect(document.components.schemas["Task"]).toMatchObject({ properties: { state: states } });
    expect(document.components.schemas["TaskState"]).toEqual({ type: "string", enum: taskStates });
  });

  test("has a limit by name beside the number that it stands for", () => {
    const text = JSON.stringify(components);
    for (const [, name] of text.matchAll(/"x-limit":"(\w+)"/g)) expect(limits).toHaveProperty(name!);
    expect(Object.keys(errorStatus).every((code) => text.includes(`"${code}"`))).toBe(true);
  });
});
