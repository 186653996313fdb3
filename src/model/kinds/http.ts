/** The kind `http`: calls a service. Its executor is `src/worker/executors/http.ts`. */
import type { Json, JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { closed, limitKeyword, list, type Schema } from "../schema.ts";
import { invalid, isObject, type KindDefinition, quote } from "./kind.ts";

export const httpMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
export type HttpMethod = (typeof httpMethods)[number];

export interface HttpInput {
  /** `http://` or `https://`, without user name, password and fragment. */
  readonly url: string;
  /** POST where there is a body, otherwise GET. */
  readonly method?: HttpMethod;
  readonly headers?: { readonly [name: string]: string };
  /** Like `headers`, and hidden from those who may only read. */
  readonly secretHeaders?: { readonly [name: string]: string };
  /** What is sent, as text in UTF-8. */
  readonly body?: string;
  /** What is sent, as JSON; instead of `body`. */
  readonly json?: Json;
  /** Status codes that mean success; all from 200 to 299 if left out. */
  readonly expect?: readonly number[];
}

/** What an `http` task leaves as its output. */
export interface HttpOutput {
  readonly status: number;
  /** By names in lower case; repeated ones joined by commas. */
  readonly headers: { readonly [name: string]: string };
  /** JSON as it is meant, if the service says that it is JSON; otherwise text. Null if there was none. */
  readonly body: Json;
}

/** What a request says by itself: the connection's own headers, and those by which a service tells who calls. */
const ownHeaders =
  /^(host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|outlast-.*)$/i;

/** A name or an address, and perhaps a port. */
const authorityPattern = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(:\d{1,5})?$/i;

const text: Schema = { type: "string", maxLength: limits.stringBytesMax, [limitKeyword]: "stringBytesMax" };

const headers: Schema = {
  type: "object",
  maxProperties: limits.httpHeadersMax,
  [limitKeyword]: "httpHeadersMax",
  additionalProperties: text,
};

export const httpKind: KindDefinition = {
  name: "http",
  inputName: "HttpInput",
  inputSchema: closed(
    { url: { type: "string", minLength: 1, maxLength: limits.urlLengthMax, [limitKeyword]: "urlLengthMax" } },
    {
      method: { enum: [...httpMethods], description: "POST where there is a body, otherwise GET." },
      headers,
      secretHeaders: { ...headers, description: "Like `headers`, and hidden from those who may only read." },
      body: text,
      json: { description: "What is sent, as JSON; instead of `body`." },
      expect: {
        ...list({ type: "integer", minimum: 100, maximum: 599 }, { minItems: 1 }),
        description: "Status codes that mean success; all from 200 to 299 if left out.",
      },
    },
  ),
  secretMembers: ["secretHeaders"],
  check: checkHttp,
  describe: (input) => (typeof input["url"] === "string" ? `${methodOf(input)} ${shown(input["url"])}` : null),
};

export function methodOf({ method, body, json }: { method?: unknown; body?: unknown; json?: unknown }): string {
  if (typeof method === "string") return method;
  return body === undefined && json === undefined ? "GET" : "POST";
}

function checkHttp(input: JsonObject, path: string): void {
  const { body, json } = input;
  const url = input["url"] as string;
  const authority = /^https?:\/\/([^/?#]*)/i.exec(url)?.[1];
  if (authority?.includes("@") === true)
    throw invalid(`${path}/url`, "The address holds a user name or a password. Send them in a header.");
  if (authority === undefined || !authorityPattern.test(authority) || /\s/.test(url))
    throw invalid(`${path}/url`, `${quote(url)} is not an address like https://example.com/path.`);
  if (body !== undefined && json !== undefined)
    throw invalid(`${path}/json`, 'Give either "body" or "json", not both.');
  const method = methodOf(input);
  if ((method === "GET" || method === "HEAD") && (body !== undefined || json !== undefined))
    throw invalid(`${path}/method`, `A ${method} request has no body.`);
  for (const member of ["headers", "secretHeaders"]) checkHeaders(input[member], `${path}/${member}`);
}

function checkHeaders(headers: Json | undefined, path: string): void {
  for (const [name, value] of Object.entries(isObject(headers) ? headers : {})) {
    const at = `${path}/${name}`;
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw invalid(at, `${quote(name)} is not a valid name of a header.`);
    if (ownHeaders.test(name)) throw invalid(at, `A task may not set ${name}: it belongs to the worker.`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value as string))
      throw invalid(at, "The value holds characters that no header can carry.");
  }
}

/** An address without its query, which may hold what is not meant for everybody. */
function shown(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}
