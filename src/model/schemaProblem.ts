/** Says in words what is wrong with a value that a schema refuses: the place, the reason, the limit, and what was meant. */
import { type ErrorCode, type ErrorDetails, OutlastError } from "./errors.ts";
import { limitKeyword, type Schema, wordsKeyword } from "./schema.ts";
import { suggest } from "./suggestion.ts";

export interface SchemaProblem {
  /** The keyword of JSON Schema that is not met. */
  readonly keyword: string;
  /** Where, as a JSON pointer. */
  readonly path: string;
  /** What the keyword says of it, as ajv names it: `missingProperty`, `additionalProperty`, `tag`. */
  readonly params: { readonly [name: string]: unknown };
  /** The schema that holds the keyword. */
  readonly schema: Schema;
  /** What to say of a keyword that has no sentence here. */
  readonly message?: string | undefined;
}

export function toError(problem: SchemaProblem, code: ErrorCode, subject: string): OutlastError {
  const { path, message, hint } = explain(problem, subject);
  const parent = problem.schema;
  const limit = parent[limitKeyword];
  const isBound = boundKeywords.has(problem.keyword);
  const details: ErrorDetails = {
    ...(path === "" ? {} : { path }),
    ...(isBound && typeof limit === "string" ? { limit } : {}),
    ...(hint === undefined ? {} : { hint }),
  };
  return new OutlastError(problem.keyword === "maxItems" ? "too-large" : code, message, details);
}

const boundKeywords = new Set(["minimum", "maximum", "maxLength", "minLength", "pattern", "maxItems", "maxProperties"]);

interface Explanation {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

function explain(
  { keyword, path, params: parameters, schema: parent, message }: SchemaProblem,
  subject: string,
): Explanation {
  const place = path === "" ? subject : quote(nameOf(path));
  switch (keyword) {
    case "additionalProperties":
      return unknownProperty(path, String(parameters["additionalProperty"]), parent);
    case "required": {
      const missing = String(parameters["missingProperty"]);
      return { path: `${path}/${missing}`, message: `${quote(missing)} is missing.` };
    }
    case "discriminator":
      return {
        path: `${path}/${String(parameters["tag"])}`,
        message: `Unknown kind ${quote(String(parameters["tagValue"]))} of ${place}.`,
      };
    case "type":
      return { path, message: `${place} must be ${typeNames(parent["type"])}.` };
    case "enum":
      return { path, message: `${place} must be one of ${listed(parent["enum"])}.` };
    case "const":
      return { path, message: `${place} must be ${JSON.stringify(parent["const"])}.` };
    case "minimum":
    case "maximum":
      return {
        path,
        message: `${place} must be a number from ${String(parent["minimum"])} to ${String(parent["maximum"])}.`,
      };
    case "pattern":
      return { path, message: `${place} must ${patternText(parent)}.` };
    case "minLength":
    case "maxLength":
      return { path, message: `${place} must have ${range(parent["minLength"], parent["maxLength"])} characters.` };
    case "minItems":
    case "maxItems":
      return { path, message: `${place} must have ${range(parent["minItems"], parent["maxItems"])} items.` };
    case "maxProperties":
      return { path, message: `${place} must have at most ${String(parent["maxProperties"])} properties.` };
    default:
      return { path, message: `${place} ${message ?? "is not valid"}.` };
  }
}

/** Of `/input/command/1` it is `command[1]`: an index alone says nothing. */
function nameOf(path: string): string {
  const indices = /(?:\/\d+)*$/.exec(path)?.[0] ?? "";
  const name = path.slice(path.lastIndexOf("/", path.length - indices.length - 1) + 1, path.length - indices.length);
  return name + indices.replace(/\/(\d+)/g, "[$1]");
}

function unknownProperty(path: string, name: string, parent: Schema): Explanation {
  const known = Object.keys(parent["properties"] ?? {});
  const meant = suggest(name, known);
  const among = known.length === 0 ? "No property is allowed here." : `Allowed: ${known.join(", ")}.`;
  return {
    path: `${path}/${name.slice(0, 80)}`,
    message: `Unknown property ${quote(name)}.`,
    hint: meant === null ? among : `Did you mean ${quote(meant)}?`,
  };
}

const typeWords: { readonly [type: string]: string } = {
  object: "an object",
  array: "a list",
  string: "a string",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  null: "null",
};

function typeNames(type: unknown): string {
  const types = Array.isArray(type) ? type : [type];
  return types.map((name) => typeWords[String(name)] ?? String(name)).join(" or ");
}

function listed(values: unknown): string {
  return Array.isArray(values) ? values.map(String).join(", ") : String(values);
}

function patternText({ pattern, [wordsKeyword]: words }: Schema): string {
  return typeof words === "string" ? `be ${words}` : `match ${String(pattern)}`;
}

function range(min: unknown, max: unknown): string {
  const from = typeof min === "number" ? min : 0;
  return typeof max === "number" ? `${from} to ${max}` : `at least ${from}`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
