/** The oracle is lied to: each kind of offence is shown to it once, and must be seen; the truth must not be taken for one. */
import { describe, expect, test } from "vitest";
import type { Answer } from "./answers.ts";
import { ApiDocument } from "./operations.ts";
import { judge, type Offence } from "./oracle.ts";
import type { Observation } from "./player.ts";
import type { Received } from "./rawConnection.ts";

const json = { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } };
const document = new ApiDocument({
  paths: {
    "/things": {
      post: { operationId: "make", responses: { 201: { content: json }, default: {} } },
      get: { operationId: "list", responses: { 200: { content: json }, 503: { content: json }, default: {} } },
    },
    "/things/{id}": { get: { operationId: "read", responses: { 200: { content: json }, default: {} } } },
    "/things/{id}/logs": { post: { operationId: "store", responses: { 204: {}, default: {} } } },
  },
  components: {
    schemas: {
      Thing: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
      Error: {
        type: "object",
        required: ["error"],
        properties: {
          error: { type: "object", required: ["code", "message"], properties: { code: { type: "string" } } },
        },
      },
    },
  },
});

const headers = {
  "content-type": "application/json; charset=utf-8",
  "x-content-type-options": "nosniff",
  "x-outlast-seq": "5",
};

function answer(status: number, body: unknown, change: { [name: string]: string | null } = {}): Answer {
  const all = Object.entries({ ...headers, ...change }).filter((entry): entry is [string, string] => entry[1] !== null);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, headers: new Map(all), body: Buffer.from(text), isStream: false };
}

function rules(given: Answer | Received, change: Partial<Observation> = {}): Offence["rule"][] {
  const received: Received = "kind" in given ? given : { kind: "answer", answer: given };
  const place = { step: 0, kind: "request", method: "POST", path: "/things?x=1", mustBeRefused: false } as const;
  return judge(document, { ...place, received, ...change }).map(({ rule }) => rule);
}

const thing = { name: "a" };
const invalid = { error: { code: "invalid", message: "No." } };

describe("the truth", () => {
  test.each<[string, Answer, Partial<Observation>]>([
    ["a documented answer", answer(201, thing), {}],
    ["a documented error", answer(422, invalid), { mustBeRefused: true }],
    ["an error with the wire's own status", answer(431, { error: { code: "too-large", message: "No." } }), {}],
    [
      "a refusal without a journal, before there is a request",
      answer(400, { error: { code: "bad-request", message: "No." } }, { "x-outlast-seq": null }),
      {},
    ],
    ["a documented 503", answer(503, thing), { method: "GET", path: "/things" }],
    ["an answer without a body", answer(204, ""), { path: "/things/a/logs" }],
    ["the head of an answer", answer(200, ""), { method: "HEAD", path: "/things" }],
    ["anything documented, to bytes that may be anything", answer(204, ""), { kind: "raw", method: "", path: "" }],
  ])("%s is no offence", (_what, given, change) => {
    expect(rules(given, change)).toEqual([]);
  });

  test("nobody owes an answer to bytes that may be anything", () => {
    expect(rules({ kind: "silence" }, { kind: "raw", method: "", path: "", missing: 0 })).toEqual([]);
  });
});

describe("lies", () => {
  test.each<[string, Offence["rule"], Answer, Partial<Observation>]>([
    ["a 500", "server error", answer(500, { error: { code: "internal", message: "Oh." } }), {}],
    ["a 502", "server error", answer(502, ""), {}],
    ["a status of another operation", "undocumented status", answer(200, thing), {}],
    ["a redirect", "undocumented status", answer(302, ""), {}],
    ["a status that does not go with its code", "undocumented status", answer(404, invalid), {}],
    ["an answer of another shape", "answer shape", answer(201, { title: "a" }), {}],
    ["an answer that is no JSON", "answer shape", answer(201, "{"), {}],
    ["an answer of another type", "answer shape", answer(201, thing, { "content-type": "text/html" }), {}],
    ["an error of another shape", "error shape", answer(422, { message: "No." }), {}],
    ["an error without a body", "error shape", answer(417, ""), {}],
    ["an error without the journal's place", "error shape", answer(422, invalid, { "x-outlast-seq": null }), {}],
    ["an error that may be sniffed", "error shape", answer(422, invalid, { "x-content-type-options": null }), {}],
    ["429 without a word on when", "error shape", answer(429, { error: { code: "too-many", message: "No." } }), {}],
    [
      "405 without a word on what",
      "error shape",
      answer(405, { error: { code: "method-not-allowed", message: "No." } }),
      { path: "/x" },
    ],
    ["a huge error", "error shape", answer(422, { error: { code: "invalid", message: "x".repeat(5000) } }), {}],
    ["a stack", "inside shown", answer(422, { error: { code: "invalid", message: "at f (/a/b.js:1:2)" } }), {}],
    ["a path", "inside shown", answer(422, { error: { code: "invalid", message: "in /app/node_modules/x" } }), {}],
    ["bad input that is taken", "bad input taken", answer(201, thing), { mustBeRefused: true }],
  ])("%s is seen", (_what, rule, given, change) => {
    expect(rules(given, change)).toContain(rule);
  });

  test.each<[string, Received]>([
    ["a closed connection", { kind: "closed", isCut: false }],
    ["silence", { kind: "silence" }],
  ])("%s instead of an answer is seen", (_what, received) => {
    expect(rules(received)).toEqual(["no answer"]);
    expect(rules(received, { kind: "raw", missing: 2 })).toEqual(["no answer"]);
  });

  test("garbage instead of HTTP is seen", () => {
    expect(rules({ kind: "garbage", why: "no status line" })).toEqual(["no HTTP"]);
  });
});
