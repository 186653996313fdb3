/** Building blocks of schemas. They are JSON Schema 2020-12, which OpenAPI 3.1 uses as it is. */
import { limits } from "./limits.ts";

export type Schema = { readonly [keyword: string]: unknown };

/**
 * Names the entry of `limits` that a keyword enforces. Errors carry it as `limit`, and the OpenAPI document shows it.
 */
export const limitKeyword = "x-limit";

/** Marks a text parameter of a URL that is a list, separated by commas, with the schema of an item. */
export const listKeyword = "x-list-of";

/** Says in words what a `pattern` asks for, as it stands after "must be". */
export const wordsKeyword = "x-words";

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object of exactly these properties; those in `optional` may be left out. */
export function closed(required: Properties, optional: Properties = {}, more: Schema = {}): Schema {
  return { ...open(required, optional), additionalProperties: false, ...more };
}

/** An object of these properties and whatever a newer version adds. */
export function open(required: Properties, optional: Properties = {}, more: Schema = {}): Schema {
  const names = Object.keys(required);
  return {
    type: "object",
    ...(names.length > 0 ? { required: names } : {}),
    properties: { ...required, ...optional },
    ...more,
  };
}

type Properties = { readonly [name: string]: Schema };

export function list(items: Schema, more: Schema = {}): Schema {
  return { type: "array", items, ...more };
}

export function oneOf(values: readonly string[], more: Schema = {}): Schema {
  return { type: "string", enum: values, ...more };
}

export function orNull(schema: Schema): Schema {
  return { ...schema, type: [schema["type"], "null"] };
}

export function whole(minimum: number, maximum: number, limit: string, more: Schema = {}): Schema {
  return { type: "integer", minimum, maximum, [limitKeyword]: limit, ...more };
}

/** A number in an answer. */
export const count: Schema = { type: "integer", minimum: 0 };
export const text: Schema = { type: "string" };
export const truth: Schema = { type: "boolean" };
/** Any JSON value. */
export const anything: Schema = {};

const idWords = `1 to ${limits.idLengthMax} of the characters a-z, A-Z, 0-9 and . _ : -`;
/** One pattern checks both alphabet and length. */
export const id: Schema = {
  type: "string",
  pattern: `^[A-Za-z0-9._:-]{1,${limits.idLengthMax}}$`,
  [wordsKeyword]: idWords,
  [limitKeyword]: "idLengthMax",
};
/** The id of any task: one that a client chose, or one that was made for a child. */
export const taskId: Schema = {
  type: "string",
  pattern: `^[A-Za-z0-9._:-]{1,${limits.idLengthMax}}(@[A-Za-z0-9.:-]{1,40})?(~s[0-9a-f]{16})?(~[0-9a-f]{16}[.][0-9]{7})?$`,
  [wordsKeyword]: `the id of a task: ${idWords}, or an id that a master has made`,
  [limitKeyword]: "idLengthMax",
};
export const instant = whole(limits.instantMsMin, limits.instantMsMax, "instantMsMax", {
  description: "Milliseconds since 1970.",
});
export const duration = whole(0, limits.durationMsMax, "durationMsMax", { description: "Milliseconds." });
/** Attempts, epochs, sequence numbers and offsets. */
export const safeCount: Schema = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
export const attempt: Schema = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
