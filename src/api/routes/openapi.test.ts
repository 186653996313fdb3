/** The OpenAPI document: valid by itself, and the same as what is served. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { errorStatus } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { createApi } from "../http/server.ts";
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
    const unnamed = Object.keys(components).filter((name) => !named.has(name));
    expect([...named].filter((name) => !(name in components))).toEqual([]);
    // The inputs of the kinds of task stand there for readers.
    expect(unnamed.toSorted()).toEqual(["ExecInput", "SleepInput"]);
  });

  test("has a limit by name beside the number that it stands for", () => {
    const text = JSON.stringify(components);
    for (const [, name] of text.matchAll(/"x-limit":"(\w+)"/g)) expect(limits).toHaveProperty(name!);
    expect(Object.keys(errorStatus).every((code) => text.includes(`"${code}"`))).toBe(true);
  });
});
