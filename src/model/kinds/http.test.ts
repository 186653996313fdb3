/** What an http task may be asked for, beyond what its schema can say. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import { toSpec } from "../submission.ts";
import { describeWork } from "./table.ts";

const url = "https://example.com/hook";

function submit(input: JsonObject): unknown {
  return toSpec({ kind: "http", input }, { id: "t" as TaskId, fingerprint: null, now: 0 });
}

describe("an http task is refused", () => {
  test.each([
    ["no address", { url: "example.com" }, "/input/url"],
    ["no host", { url: "https:///path" }, "/input/url"],
    ["a blank", { url: "https://example.com/a b" }, "/input/url"],
    ["a port that is none", { url: "https://example.com:http/" }, "/input/url"],
    ["another protocol", { url: "ftp://example.com/" }, "/input/url"],
    ["a password in the address", { url: "https://me:secret@example.com/" }, "/input/url"],
    ["two bodies", { url, body: "a", json: {} }, "/input/json"],
    ["a body where there is none", { url, method: "GET", body: "a" }, "/input/method"],
    ["a name that is no header", { url, headers: { "a b": "c" } }, "/input/headers/a b"],
    ["a header of the connection", { url, headers: { Host: "other.example" } }, "/input/headers/Host"],
    ["a header that tells who calls", { url, headers: { "outlast-task": "t2" } }, "/input/headers/outlast-task"],
    ["a secret header of the connection", { url, secretHeaders: { Upgrade: "x" } }, "/input/secretHeaders/Upgrade"],
    ["a header with a line break", { url, headers: { a: "b\r\nc: d" } }, "/input/headers/a"],
  ])("with %s", (_, input, path) => {
    expect(() => submit(input as JsonObject)).toThrow(
      expect.objectContaining({ code: "invalid", details: expect.objectContaining({ path }) as unknown }) as Error,
    );
  });
});

test("everything else is taken, and shown without the query of its address", () => {
  const input = { url: `${url}?token=secret`, json: { a: [1] }, headers: { Authorization: "Bearer x" }, expect: [202] };
  expect(() => submit(input)).not.toThrow();
  expect(describeWork({ kind: "http", input })).toBe(`POST ${url}`);
  expect(describeWork({ kind: "http", input: { url } })).toBe(`GET ${url}`);
});
