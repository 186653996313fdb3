/** Makes single requests for any operation of the document: good ones, and ones with something wrong in one of their parts. */
import type { Random } from "../simulation/random.ts";
import { badTexts, trapMember } from "./badValues.ts";
import { fuzzQueues, sampleNames, taskName, workerName } from "./cast.ts";
import { isPlain, Members, pathsIn, replaceAt, toJsonText, valueAt } from "./jsonText.ts";
import type { ApiDocument, Operation, Parameter, Schema } from "./operations.ts";
import { whyRefused } from "./refusals.ts";
import { type Header, type RequestStep, toBytes } from "./steps.ts";
import type { Values } from "./values.ts";

const json = "application/json";
const otherMethods = ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "GET", "POST"];

type Part = "path" | "query" | "headers" | "body" | "method" | "type";

export class RequestMaker {
  readonly document: ApiDocument;
  readonly #values: Values;

  constructor(document: ApiDocument, values: Values) {
    this.document = document;
    this.#values = values;
  }

  good(operation: Operation, random: Random): RequestStep {
    const isNdjson = operation.bodies["application/x-ndjson"] !== undefined && random.chance(0.3);
    const type = isNdjson ? "application/x-ndjson" : json;
    const body = this.#body(operation, random, isNdjson);
    return {
      kind: "request",
      method: operation.method,
      path: this.#path(operation, random) + this.#query(operation, random),
      headers: [...this.#headers(operation, random), ...(body === null ? [] : [["content-type", type] as const])],
      body: body === null ? null : [body],
    };
  }

  /** Good but for one thing somewhere in its body, which is refused wherever it stands. */
  trapped(operation: Operation, random: Random): RequestStep {
    const schema = operation.bodies[json] ?? {};
    const value = this.#values.draw(schema, random);
    const objects = pathsIn(value, 100).filter((path) => isPlain(valueAt(value, path)));
    const place = random.pick(objects);
    const spoiled = replaceAt(
      value,
      place,
      (old) => new Members([...Object.entries(old as object), trapMember(random)]),
    );
    return this.#posted(operation, random, toJsonText(spoiled), schema);
  }

  bad(operation: Operation, random: Random): RequestStep {
    const good = this.good(operation, random);
    const parts: Part[] = ["query", "headers", "method"];
    if (operation.path.includes("{")) parts.push("path", "path");
    if (operation.method === "POST") parts.push("body", "body", "type");
    if (operation.bodies[json] !== undefined) parts.push("body", "body", "body", "body");
    switch (random.pick(parts)) {
      case "path":
        return { ...good, path: this.#path(operation, random, encode(random.pick(badTexts), random)) };
      case "query":
        return { ...good, path: `${good.path}${good.path.includes("?") ? "&" : "?"}${badQuery(operation, random)}` };
      case "headers":
        return { ...good, headers: [...good.headers, badHeader(operation, random)] };
      case "method":
        return { ...good, method: random.pick(otherMethods) };
      case "type":
        return { ...good, headers: [["content-type", badType(random)]], body: good.body ?? ["{}"] };
      case "body":
        return this.#withBadBody(good, operation, random);
    }
  }

  #withBadBody(good: RequestStep, operation: Operation, random: Random): RequestStep {
    const schema = operation.bodies[json];
    const headers: Header[] = [...good.headers.filter(([name]) => name !== "content-type"), ["content-type", json]];
    if (schema === undefined) return { ...good, headers, body: [toJsonText(this.#values.spoil({}, {}, random))] };
    const text = toJsonText(this.#values.spoil(this.#values.draw(schema, random), schema, random));
    return { ...this.#posted(operation, random, text, schema), headers };
  }

  /** With a body of which the documents tell whether it can only be refused. */
  #posted(operation: Operation, random: Random, text: string, schema: Schema): RequestStep {
    const mustBeRefused = whyRefused(toBytes([text], sampleNames), schema, this.document) !== null;
    const path = this.#path(operation, random);
    return { kind: "request", method: "POST", path, headers: [["content-type", json]], body: [text], mustBeRefused };
  }

  #body(operation: Operation, random: Random, isNdjson: boolean): string | null {
    const schema = operation.bodies[json];
    if (schema === undefined) return operation.method === "POST" && random.chance(0.3) ? "{}" : null;
    const value = this.#values.draw(schema, random);
    if (!isNdjson) return toJsonText(value);
    const { tasks } = value as { readonly tasks: readonly unknown[] };
    return tasks.map(toJsonText).join(random.pick(["\n", "\r\n", "\n\n"]));
  }

  #path(operation: Operation, random: Random, id?: string): string {
    const isWorker = operation.path.startsWith("/v1/workers");
    return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      if (id !== undefined) return id;
      if (name === "name") return random.pick(fuzzQueues);
      if (isWorker) return workerName(random);
      // What the honest worker runs may be looked at, but not ended: that would be no fault.
      const task = taskName(random);
      return operation.method === "POST" && task === "{{honestTask}}" ? "nobody" : task;
    });
  }

  #query(operation: Operation, random: Random): string {
    const chosen = operation.parameters.filter(
      (parameter) => parameter.in === "query" && (parameter.required === true || random.chance(0.3)),
    );
    const pairs = chosen.map((parameter) => `${parameter.name}=${encode(this.#parameter(parameter, random), random)}`);
    return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  }

  #parameter(parameter: Parameter, random: Random): string {
    if (parameter.name === "session") return "{{session}}";
    if (parameter.name === "cursor") return "{{cursor}}";
    if (parameter.name === "state") return random.pick(["created", "running,retrying", "success,failed,cancelled"]);
    return String(this.#values.draw(parameter.schema, random));
  }

  #headers(operation: Operation, random: Random): Header[] {
    return operation.parameters
      .filter((parameter) => parameter.in === "header" && random.chance(0.3))
      .map((parameter) => [parameter.name, String(this.#values.draw(parameter.schema, random))] as const);
  }
}

function badQuery(operation: Operation, random: Random): string {
  const names = operation.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const name = random.pick([...names, ...names, "x", "__proto__", "constructor", "limit[]", "a.b"]);
  const values = ["-1", "0", "1001", "1e9", "9007199254740993", "NaN", "true", "a,b,,c", "0x10", ...badTexts];
  return `${name}=${encode(random.pick(values), random)}`;
}

function badHeader(operation: Operation, random: Random): Header {
  const names = operation.parameters.filter((parameter) => parameter.in === "header").map(({ name }) => name);
  const values = ["", " ", "-1", "9".repeat(17), "1:1:1", "ÿ", "\u0001".repeat(0), "a".repeat(129), "%00", "{}"];
  return random.pick<Header>([
    [random.pick([...names, "last-event-id", "idempotency-key"]), random.pick(values)],
    ["origin", random.pick(["http://evil.example", "null", "http://127.0.0.1:1", ""])],
    ["host", random.pick(["evil.example", "localhost:1", "[::1", "127.0.0.1@evil.example", "a b", ""])],
    [
      "authorization",
      random.pick(["Bearer", "Bearer wrong", "Basic eDp5", "Bearer a b", `Bearer ${"t".repeat(9000)}`]),
    ],
    ["accept", random.pick(["text/html", "application/xml;q=0", "*/*;q=-1"])],
    ["content-encoding", random.pick(["gzip", "br", "identity, gzip", "x"])],
    ["expect", random.pick(["100-continue", "nonsense"])],
    ["x-forwarded-for", "10.0.0.1"],
    ["x-http-method-override", "DELETE"],
  ]);
}

function badType(random: Random): string {
  return random.pick([
    "text/plain",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "application/x-ndjson",
    "application/json;charset=",
    "multipart/form-data; boundary=x",
    "json",
    "",
  ]);
}

/** Percent-encoded, as whole bytes; some characters are left as they are, as careless clients do. Names to fill in are kept. */
export function encode(text: string, random: Random): string {
  if (/^\{\{\w+\}\}$/.test(text)) return text;
  const isCareless = random.chance(0.2);
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    const isPlain = /[A-Za-z0-9._:~-]/.test(character) || (isCareless && /[!$'()*+,;=@[\]{}|\\^"<>]/.test(character));
    encoded += isPlain ? character : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return encoded;
}
