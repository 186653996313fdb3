/** Checks requests against the schemas, and says in words what is wrong with one. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { type ErrorCode, type ErrorDetails, OutlastError } from "../../model/errors.ts";
import { components, type SchemaName } from "../schemas/components.ts";
import { limitKeyword, type Schema } from "../schemas/schema.ts";
import { suggest } from "./suggestion.ts";

/** @throws OutlastError naming the first thing that is wrong */
export type Check = (value: unknown) => void;

const options = {
  // The first error is enough: collecting all of them would let a sender buy much work with few bytes.
  allErrors: false,
  verbose: true,
  discriminator: true,
  strictTypes: false,
  // `components` is where the schemas stand in the document that they are all part of.
  keywords: [limitKeyword, "components"],
  formats: { base64: true as const },
};
const root = { $id: "outlast", components: { schemas: components } };

/** Bodies are taken as they are: a number is no string and a string is no number. */
const strict = new Ajv2020(options);
strict.addSchema(root);
/** All of a URL is text, so numbers and booleans are read out of it. */
const reading = new Ajv2020({ ...options, coerceTypes: true });

export function checkBody(name: SchemaName): Check {
  const validate = strict.getSchema(`outlast#/components/schemas/${name}`);
  if (validate === undefined) throw new Error(`There is no schema called ${name}.`);
  return check(validate, "invalid", "The body");
}

/** For the parameters of a path or query, and for headers. Numbers and booleans among them are converted in place. */
export function checkParameters(schema: Schema, subject: string): Check {
  return check(reading.compile(schema), "bad-request", subject);
}

function check(validate: ValidateFunction, code: ErrorCode, subject: string): Check {
  return (value) => {
    if (validate(value) === true) return;
    const [first] = validate.errors ?? [];
    throw first === undefined ? new OutlastError(code, `${subject} is not valid.`) : toError(first, code, subject);
  };
}

function toError(error: ErrorObject, code: ErrorCode, subject: string): OutlastError {
  const { path, message, hint } = explain(error, subject);
  const parent = (error.parentSchema ?? {}) as Schema;
  const limit = parent[limitKeyword];
  const isBound = boundKeywords.has(error.keyword);
  const details: ErrorDetails = {
    ...(path === "" ? {} : { path }),
    ...(isBound && typeof limit === "string" ? { limit } : {}),
    ...(hint === undefined ? {} : { hint }),
  };
  return new OutlastError(error.keyword === "maxItems" ? "too-large" : code, message, details);
}

const boundKeywords = new Set(["minimum", "maximum", "maxLength", "minLength", "pattern", "maxItems", "maxProperties"]);

interface Explanation {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

function explain(error: ErrorObject, subject: string): Explanation {
  const path = error.instancePath;
  const place = path === "" ? subject : quote(path.slice(path.lastIndexOf("/") + 1));
  const parameters = error.params as { readonly [name: string]: unknown };
  const parent = (error.parentSchema ?? {}) as Schema;
  switch (error.keyword) {
    case "additionalProperties":
      return unknownProperty(path, String(parameters["additionalProperty"]), parent);
    case "required": {
      const missing = String(parameters["missingProperty"]);
      return { path: `${path}/${missing}`, message: `${quote(missing)} is missing.` };
    }
    case "discriminator":
      return { path: `${path}/${String(parameters["tag"])}`, message: `${place} is of no kind that is known here.` };
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
      return { path, message: `${place} must match ${String(parent["pattern"])}.` };
    case "minLength":
    case "maxLength":
      return { path, message: `${place} must have ${range(parent["minLength"], parent["maxLength"])} characters.` };
    case "minItems":
    case "maxItems":
      return { path, message: `${place} must have ${range(parent["minItems"], parent["maxItems"])} items.` };
    default:
      return { path, message: `${place} ${error.message ?? "is not valid"}.` };
  }
}

function unknownProperty(path: string, name: string, parent: Schema): Explanation {
  const known = Object.keys(parent["properties"] ?? {});
  const meant = suggest(name, known);
  const among = known.length === 0 ? "Nothing is expected here." : `Known are ${known.join(", ")}.`;
  return {
    path: `${path}/${name.slice(0, 80)}`,
    message: `${quote(name)} is not known here.`,
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

function range(min: unknown, max: unknown): string {
  const from = typeof min === "number" ? min : 0;
  return typeof max === "number" ? `${from} to ${max}` : `at least ${from}`;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
