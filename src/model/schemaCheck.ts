/**
 * Checks a value against a schema without compiling it: the part of JSON Schema that submissions are described with. The API
 * checks with ajv what comes over HTTP; what comes from elsewhere (a file, a template, a document in the store) is checked here
 * against the same schemas.
 */
import type { Json } from "./json.ts";
import { isObject } from "./kinds/kind.ts";
import type { Schema } from "./schema.ts";
import { type SchemaProblem, toError } from "./schemaProblem.ts";

/** @throws OutlastError `invalid`, naming the first thing that is wrong */
export function checkSchema(schema: Schema, value: Json, path = "", subject = "The value"): void {
  const problem = findProblem(schema, value);
  if (problem !== null) throw toError({ ...problem, path: `${path}${problem.path}` }, "invalid", subject);
}

/** Its path begins at the value: most values have no problem, so nothing is spent on where it would be. */
function findProblem(schema: Schema, value: Json): SchemaProblem | null {
  const failed = (keyword: string, params = {}): SchemaProblem => ({ keyword, path: "", params, schema });
  const { type, enum: values } = schema;
  if (type !== undefined && !isOfAnyType(value, type)) return failed("type");
  if ("const" in schema && value !== schema["const"]) return failed("const");
  if (Array.isArray(values) && !values.includes(value)) return failed("enum");
  if (Array.isArray(schema["anyOf"])) {
    const problem = findProblemOfAll(schema["anyOf"] as readonly Schema[], value);
    if (problem !== null) return problem;
  }
  if (typeof value === "number") return findNumberProblem(schema, value, failed);
  if (typeof value === "string") return findTextProblem(schema, value, failed);
  if (Array.isArray(value)) return findListProblem(schema, value, failed);
  if (isObject(value)) return findObjectProblem(schema, value, failed);
  return null;
}

/** What is wrong with a value that none of these schemas takes: what the one says of it that takes at least its type. */
function findProblemOfAll(schemas: readonly Schema[], value: Json): SchemaProblem | null {
  const problems = schemas.map((each) => findProblem(each, value));
  if (problems.includes(null)) return null;
  const isOfOtherType = (problem: SchemaProblem | null) => problem?.keyword === "type" && problem.path === "";
  const types = schemas.map(({ type }) => type);
  return (
    problems.find((problem) => !isOfOtherType(problem)) ?? {
      keyword: "type",
      path: "",
      params: {},
      schema: { type: types },
    }
  );
}

type Failed = (keyword: string, params?: { readonly [name: string]: string }) => SchemaProblem;

function findNumberProblem({ minimum, maximum }: Schema, value: number, failed: Failed): SchemaProblem | null {
  if (typeof minimum === "number" && !(value >= minimum)) return failed("minimum");
  if (typeof maximum === "number" && !(value <= maximum)) return failed("maximum");
  return null;
}

/** Lengths count code points, as JSON Schema has it. */
function findTextProblem(
  { minLength, maxLength, pattern }: Schema,
  value: string,
  failed: Failed,
): SchemaProblem | null {
  if (typeof minLength === "number" && countCodePoints(value, minLength) < minLength) return failed("minLength");
  if (typeof maxLength === "number" && countCodePoints(value, maxLength + 1) > maxLength) return failed("maxLength");
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(value)) return failed("pattern");
  return null;
}

/** Counts no further than `enough`: a hostile text may be long. */
function countCodePoints(text: string, enough: number): number {
  let count = 0;
  for (let index = 0; index < text.length && count < enough; count += 1) {
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  }
  return count;
}

function findListProblem(schema: Schema, value: readonly Json[], failed: Failed): SchemaProblem | null {
  const { minItems, maxItems, items, uniqueItems } = schema;
  if (typeof maxItems === "number" && value.length > maxItems) return failed("maxItems");
  if (typeof minItems === "number" && value.length < minItems) return failed("minItems");
  if (items !== undefined) {
    for (const [index, item] of value.entries()) {
      const problem = findProblem(items as Schema, item);
      if (problem !== null) return within(String(index), problem);
    }
  }
  if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    return failed("uniqueItems");
  return null;
}

function findObjectProblem(
  schema: Schema,
  value: { readonly [name: string]: Json },
  failed: Failed,
): SchemaProblem | null {
  const { maxProperties, required = [], properties = {}, additionalProperties } = schema;
  const names = Object.keys(value);
  if (typeof maxProperties === "number" && names.length > maxProperties) return failed("maxProperties");
  for (const name of required as string[]) {
    if (!Object.hasOwn(value, name)) return failed("required", { missingProperty: name });
  }
  for (const name of names) {
    const known = Object.hasOwn(properties as object, name);
    if (!known && additionalProperties === false) return failed("additionalProperties", { additionalProperty: name });
    const of = known ? (properties as { readonly [name: string]: Schema })[name] : additionalProperties;
    if (typeof of !== "object" || of === null) continue;
    const problem = findProblem(of as Schema, value[name] ?? null);
    if (problem !== null) return within(pointer(name), problem);
  }
  return null;
}

function within(place: string, problem: SchemaProblem): SchemaProblem {
  return { ...problem, path: `/${place}${problem.path}` };
}

function isOfAnyType(value: Json, type: unknown): boolean {
  return Array.isArray(type) ? type.some((each) => isOfType(value, each)) : isOfType(value, type);
}

function isOfType(value: Json, type: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return typeof value === type;
  }
}

/** A name within a JSON pointer (RFC 6901, section 3). */
function pointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
