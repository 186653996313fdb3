/** Templates: tasks with typed variables, kept by name and version. Their bounds are written once, in `templateSchema`. */
import type { Json, JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { anything, closed, limitKeyword, list, oneOf, type Schema } from "../schema.ts";

export const variableTypes = ["string", "integer", "number", "boolean", "json"] as const;
export type VariableType = (typeof variableTypes)[number];

export interface TemplateVariable {
  readonly type: VariableType;
  /** For `integer` and `number`. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** A variable without a default must be given. */
  readonly default?: Json;
  /** The only values that are allowed; not for `json`. */
  readonly enum?: readonly Json[];
  readonly description?: string;
}

export type TemplateVariables = { readonly [name: string]: TemplateVariable };

/** What a user writes. */
export interface TemplateContent {
  readonly description?: string;
  readonly variables?: TemplateVariables;
  /** A submission without an id, with placeholders in its strings. */
  readonly task: JsonObject;
}

/** The record of a template in the collection `templates`: which version is the latest one. */
export interface TemplateRecord {
  readonly name: string;
  readonly version: number;
  /** Digest of the content of that version. The same content makes no new version. */
  readonly fingerprint: string;
  readonly changedAt: number;
  readonly description?: string;
  /** Of its tasks; null if a variable gives it. Left out by versions that did not know whom a template is for. */
  readonly queue?: string | null;
  /** The template was removed. The record stays, so that a new template of this name goes on counting. */
  readonly isRemoved?: true;
}

/** One version, in the collection `templateVersions`; it never changes. */
export interface TemplateVersion extends TemplateContent {
  readonly name: string;
  readonly version: number;
  readonly createdAt: number;
}

/** What a task remembers of the template that it was made from. */
export interface TemplateOrigin {
  readonly template: string;
  readonly version: number;
  /** All of them, those with default values included. */
  readonly variables: JsonObject;
}

/** A request to make a task from a template. */
export interface TemplateRun {
  readonly variables?: JsonObject;
  /** The latest one if left out. */
  readonly version?: number;
  /** As in a submission. */
  readonly id?: string;
  readonly name?: string;
}

/** Ids of the versions of a template share this prefix. `@` is in no name that a client chooses. */
export function versionPrefix(name: string): string {
  return `${name}@`;
}

/** Padded, so that ids sort by version. */
export function versionId(name: string, version: number): string {
  return `${versionPrefix(name)}${String(version).padStart(10, "0")}`;
}

/** What a variable may be called. */
export const variableName = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

const description: Schema = {
  type: "string",
  maxLength: limits.descriptionLengthMax,
  [limitKeyword]: "descriptionLengthMax",
};

const variableSchema = closed(
  { type: oneOf(variableTypes) },
  {
    minimum: { type: "number" },
    maximum: { type: "number" },
    default: { ...anything, description: "The value if none is given. A variable without a default must be given." },
    enum: list(anything, {
      minItems: 1,
      maxItems: limits.variableValuesMax,
      [limitKeyword]: "variableValuesMax",
      description: "The only values that are allowed.",
    }),
    description,
  },
);

export const templateSchema = closed(
  {
    task: {
      type: "object",
      description:
        "A submission without an id. `${n}` as a whole string takes the value of `n` with its type; inside a string, and in a command, it is text; `$${` is a plain `${`.",
    },
  },
  {
    description,
    variables: {
      type: "object",
      maxProperties: limits.variablesMax,
      [limitKeyword]: "variablesMax",
      additionalProperties: variableSchema,
    },
  },
  {
    examples: [
      {
        variables: { n: { type: "integer", minimum: 1, default: 10 } },
        task: { kind: "exec", input: { command: ["seq", "${n}"] } },
      },
    ],
  },
);

export interface TemplateSummary {
  readonly name: string;
  /** The latest one. */
  readonly version: number;
  readonly changedAt: number;
  readonly description?: string;
}
