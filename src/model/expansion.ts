/** Puts values into the strings of a task: one pure function, with which templates and graphs come to their inputs. */
import { OutlastError } from "./errors.ts";
import type { Json } from "./json.ts";
import { isObject } from "./kinds/kind.ts";
import { limits } from "./limits.ts";
import type { Schema } from "./schema.ts";

/** A piece of a string: text as it is, or a value in the place of a placeholder. */
export type FilledPiece = { readonly text: string } | { readonly value: Json };

/** Where a value stands in the task, and what is known of values that may stand there. */
export interface Place {
  readonly path: string;
  readonly depth: number;
  /** Where a task takes text only, such as an argument of a command, every value becomes its text. */
  readonly schema: Schema;
}

/** Fills one task, and counts what that comes to: a large value may stand in many places. */
export class Expansion {
  readonly #fill: (text: string, path: string) => readonly FilledPiece[];
  readonly #cause: string;
  #length = 0;

  /**
   * @param fill splits a string into its pieces; what it throws is thrown on
   * @param cause begins the sentence of an error: `With these variables`
   */
  constructor(fill: (text: string, path: string) => readonly FilledPiece[], cause: string) {
    this.#fill = fill;
    this.#cause = cause;
  }

  /** @throws OutlastError `invalid` with the limit that the result would pass */
  expand(value: Json, place: Place): Json {
    const { path, depth } = place;
    const schema = schemaFor(place.schema, value);
    if (depth > limits.jsonDepthMax) throw this.#tooDeep(path);
    if (typeof value === "string") return this.#expandText(value, { path, depth, schema });
    if (Array.isArray(value))
      return value.map((item, index) =>
        this.expand(item, { path: `${path}/${index}`, depth: depth + 1, schema: (schema["items"] ?? {}) as Schema }),
      );
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        this.expand(member, { path: `${path}/${name}`, depth: depth + 1, schema: memberSchema(schema, name) }),
      ]),
    );
  }

  /** A string that is nothing but a placeholder takes the value with its type; inside a string a value is its text. */
  #expandText(text: string, { path, depth, schema }: Place): Json {
    const pieces = this.#fill(text, path);
    const plain = pieces.flatMap((piece) => ("text" in piece ? [piece.text] : []));
    if (plain.length === pieces.length) {
      // No value has made it longer than it was given.
      this.#count(text, path);
      return plain.join("");
    }
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined && "value" in only && schema["type"] !== "string") {
      const { value } = only;
      this.#count(JSON.stringify(value), path);
      if (depth + depthOf(value) > limits.jsonDepthMax) throw this.#tooDeep(path);
      return value;
    }
    const parts: string[] = [];
    let bytes = 0;
    for (const piece of pieces) {
      const part = "value" in piece ? toText(piece.value) : piece.text;
      bytes += part.length;
      if (bytes > limits.stringBytesMax) {
        throw this.#tooLarge(path, "stringBytesMax", `longer than ${limits.stringBytesMax} characters`);
      }
      this.#count(part, path);
      parts.push(part);
    }
    return parts.join("");
  }

  #count(text: string, path: string): void {
    this.#length += text.length;
    if (this.#length > limits.bodyBytesMax) {
      throw this.#tooLarge(path, "bodyBytesMax", `larger than ${limits.bodyBytesMax} bytes`);
    }
  }

  #tooDeep(path: string): OutlastError {
    return this.#tooLarge(path, "jsonDepthMax", `nested more than ${limits.jsonDepthMax} deep`);
  }

  #tooLarge(path: string, limit: string, what: string): OutlastError {
    return new OutlastError("invalid", `${this.#cause} the task is ${what}.`, { path, limit });
  }
}

/** Of a place that takes several shapes, such as a line or a list of arguments: the one that the value has. */
function schemaFor(schema: Schema, value: Json): Schema {
  const shapes = schema["anyOf"] as readonly Schema[] | undefined;
  if (shapes === undefined) return schema;
  const type = Array.isArray(value) ? "array" : typeof value;
  const shape = shapes.find((each) => each["type"] === type);
  // A value with a type of its own may stand here, too.
  const isTextOnly = shapes.every((each) => ["string", "array", "object"].includes(String(each["type"])));
  return shape === undefined || (type === "string" && !isTextOnly) ? {} : shape;
}

function memberSchema({ properties = {}, additionalProperties }: Schema, name: string): Schema {
  if (Object.hasOwn(properties as object, name)) return (properties as { readonly [name: string]: Schema })[name] ?? {};
  return isObject(additionalProperties as Json) ? (additionalProperties as Schema) : {};
}

function toText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function depthOf(value: Json): number {
  if (value === null || typeof value !== "object") return 0;
  let deepest = 0;
  for (const member of Object.values(value)) deepest = Math.max(deepest, depthOf(member));
  return deepest + 1;
}
