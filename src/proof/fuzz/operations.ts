/** What the OpenAPI document promises: which calls there are, what they take and what they may answer. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Random } from "../simulation/random.ts";

export type Schema = { readonly [keyword: string]: unknown };

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly name: string;
  readonly method: string;
  /** With parameters as `{id}`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Schemas of the body by media type; empty where none is taken. */
  readonly bodies: { readonly [type: string]: Schema };
  /** Documented statuses other than errors, each with the schemas of its media types. */
  readonly answers: { readonly [status: string]: { readonly [type: string]: Schema } };
  readonly isPublic: boolean;
}

interface Content {
  readonly [type: string]: { readonly schema: Schema };
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: { readonly [status: string]: { readonly content?: Content } };
  readonly security?: readonly unknown[];
}

interface RawDocument {
  readonly paths: { readonly [path: string]: { readonly [method: string]: RawOperation } };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
}

export class ApiDocument {
  readonly operations: readonly Operation[];
  readonly #schemas: { readonly [name: string]: Schema };
  readonly #ajv = new Ajv2020({ strict: false, formats: { base64: true } });
  readonly #compiled = new Map<Schema, ValidateFunction>();

  constructor(document: unknown) {
    const { paths, components } = document as RawDocument;
    this.#schemas = components.schemas;
    this.#ajv.addSchema({ $id: "api", components });
    this.operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => toOperation(path, method, operation)),
    );
  }

  operation(name: string): Operation {
    const found = this.operations.find((operation) => operation.name === name);
    if (found === undefined) throw new Error(`The document has no operation ${name}.`);
    return found;
  }

  /** The operation that a request is for; null if there is none. */
  match(method: string, path: string): Operation | null {
    const [plain = ""] = path.split("?");
    const wanted = method === "HEAD" ? "GET" : method;
    const matching = this.operations.filter((each) => each.method === wanted && patternOf(each.path).test(plain));
    // A path without parameters goes before one that takes anything there.
    return matching.toSorted((one, other) => one.path.split("{").length - other.path.split("{").length)[0] ?? null;
  }

  /** The schema itself, if it is only a reference to one. */
  resolve(schema: Schema): Schema {
    const name = nameOf(schema);
    return name === null ? schema : (this.#schemas[name] ?? {});
  }

  /** Why a value does not fit a schema; null if it does. */
  misfit(schema: Schema, value: unknown): string | null {
    let validate = this.#compiled.get(schema);
    if (validate === undefined) {
      validate = this.#ajv.compile(absolute(schema) as Schema);
      this.#compiled.set(schema, validate);
    }
    return validate(value) === true ? null : this.#ajv.errorsText(validate.errors);
  }

  /** One of the schemas that a union is of, or the schema. */
  choose(schema: Schema, random: Random): Schema {
    const resolved = this.resolve(schema);
    const union = resolved["oneOf"] ?? resolved["anyOf"];
    return Array.isArray(union) ? this.choose(random.pick(union as Schema[]), random) : resolved;
  }
}

/** The name behind a reference to a schema of the document. */
export function nameOf(schema: Schema): string | null {
  const reference = schema["$ref"];
  return typeof reference === "string" ? reference.slice(reference.lastIndexOf("/") + 1) : null;
}

function toOperation(path: string, method: string, raw: RawOperation): Operation {
  return {
    name: raw.operationId,
    method: method.toUpperCase(),
    path,
    parameters: raw.parameters ?? [],
    bodies: schemasOf(raw.requestBody?.content),
    answers: Object.fromEntries(
      Object.entries(raw.responses)
        .filter(([status]) => status !== "default")
        .map(([status, { content }]) => [status, schemasOf(content)]),
    ),
    isPublic: raw.security !== undefined && raw.security.length === 0,
  };
}

function schemasOf(content: Content = {}): { [type: string]: Schema } {
  return Object.fromEntries(Object.entries(content).map(([type, { schema }]) => [type, schema]));
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`);
}

/** References as they are seen from outside of the document. */
function absolute(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(absolute);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === "$ref" && typeof item === "string" ? [key, `api${item}`] : [key, absolute(item)],
    ),
  );
}
