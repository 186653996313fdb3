/** Holds the answers of routes against the schemas that describe them, in tests. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";
import type { Route } from "../../api/routes/route.ts";
import { components } from "../../api/schemas/components.ts";
import { limitKeyword, wordsKeyword } from "../../model/schema.ts";

const ajv = new Ajv2020({
  keywords: [limitKeyword, wordsKeyword, "components"],
  strictTypes: false,
  discriminator: true,
});
ajv.addSchema({ $id: "outlast", components: { schemas: components } });

/** The name of the schema for an answer; undefined if its route says nothing of this status. */
export function schemaOfAnswer(
  routes: readonly Route[],
  method: Route["method"],
  url: string,
  statusCode: number,
): string | undefined {
  const path = url.split("?")[0] ?? "";
  const route = routes.find((each) => each.method === method && isAlike(each.path, path));
  return route?.answers[statusCode]?.schema ?? (statusCode >= 400 ? "Error" : undefined);
}

/** Fails the test if an answer does not fit the schema of its route and status. */
export function expectAnswer(
  routes: readonly Route[],
  method: Route["method"],
  url: string,
  response: { readonly statusCode: number; json(): unknown },
): void {
  const schema = schemaOfAnswer(routes, method, url, response.statusCode);
  if (schema !== undefined) expectSchema(schema, response.json());
}

/** Fails the test if the value does not fit the schema. */
export function expectSchema(name: string, value: unknown): void {
  const validate = ajv.getSchema(`outlast#/components/schemas/${name}`);
  void validate?.(value);
  expect(validate?.errors).toBeNull();
}

function isAlike(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return wanted.length === given.length && wanted.every((part, index) => part.startsWith(":") || part === given[index]);
}
