/** Writes the types of the API for the dashboard, from the schemas that requests are validated with. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { compile, type JSONSchema } from "json-schema-to-typescript";
import { documentedComponents } from "../../src/api/schemas/components.ts";
import { typesFile } from "./typesFile.ts";

const banner = "/** Types of the API, written by `npm run web:types` from the schemas of its requests and answers. */";

/** Writes the file only if it differs, so that nothing that watches it runs for nothing. */
export async function writeApiTypes(): Promise<void> {
  const text = await apiTypes();
  if (existsSync(typesFile) && readFileSync(typesFile, "utf8") === text) return;
  mkdirSync(dirname(typesFile), { recursive: true });
  writeFileSync(typesFile, text);
}

async function apiTypes(): Promise<string> {
  const definitions: unknown = JSON.parse(
    JSON.stringify(documentedComponents).replaceAll("#/components/schemas/", "#/definitions/"),
  );
  const schema = { type: "object", additionalProperties: false, definitions } as JSONSchema;
  return compile(schema, "Schemas", {
    additionalProperties: false,
    bannerComment: banner,
    unreachableDefinitions: true,
    format: false,
    // Long bounds would become tuples of every length.
    ignoreMinAndMaxItems: true,
  });
}
