/** Descriptions of services: what is refused, what placeholders become, and what answers mean. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../model/json.ts";
import { BackendTrouble } from "../../ports/backend.ts";
import { readHandle, readList, readState } from "./answers.ts";
import { fillAll, fillText } from "./placeholders.ts";
import { checkService } from "./service.ts";

const command = { command: ["true"] };
const whole = { name: "batch", start: command, status: command, stop: command };

describe("a service is refused", () => {
  test.each([
    ["without a stop", { name: "batch", start: command, status: command }, /"stop" is missing/],
    ["with a call that does nothing", { ...whole, stop: {} }, /"stop" has either "command" or "http"/],
    ["with a call of two kinds", { ...whole, stop: { ...command, http: { url: "https://a.example" } } }, /either/],
    ["with a name that no label can have", { ...whole, name: "a,b" }, /name/],
    ["with an address that is none", { ...whole, stop: { http: { url: "ftp://a.example" } } }, /url/],
    ["with a member that is not known", { ...whole, restart: command }, /restart/],
    ["with a handle before there is one", { ...whole, start: { command: ["start", "${handle}"] } }, /handle/],
    ["with a placeholder that is not known", { ...whole, stop: { command: ["stop", "${id}"] } }, /\$\{id\}/],
    ["with a state that is none", { ...whole, status: { ...command, states: { OK: "fine" } } }, /OK/],
  ])("%s", (_, value, message) => {
    expect(() => checkService(value as unknown as JsonObject)).toThrow(message);
  });
});

test("a value stays one argument, whatever is in it", () => {
  const values = { key: "a b; rm -rf /", job: { n: 3, deep: { list: [1, "x"] }, text: "${key}" } };
  expect(fillText("--name=${key}", values)).toBe("--name=a b; rm -rf /");
  // What a value holds is not looked at again.
  expect(fillText("${job.text}", values)).toBe("${key}");
  expect(fillText("$${key} ${job.missing}|${job.deep}", values)).toBe('${key} |{"list":[1,"x"]}');
  expect(fillText("/jobs/${key}", values, encodeURIComponent)).toBe("/jobs/a%20b%3B%20rm%20-rf%20%2F");
  expect(fillAll({ n: "${job.n}", all: ["${job.deep.list}"], text: "n=${job.n}" }, values)).toEqual({
    n: 3,
    all: [[1, "x"]],
    text: "n=3",
  });
  expect(fillText("${job.constructor}", values)).toBe("");
});

test("a handle is the answer, or stands where the operator says", () => {
  expect(readHandle(Buffer.from(" arn:1/2\n"), undefined)).toBe("arn:1/2");
  expect(readHandle(Buffer.from('{"tasks":[{"a/b":7}]}'), "/tasks/0/a~1b")).toBe("7");
  for (const [answer, pointer] of [
    ["", undefined],
    ["{}", "/id"],
    ['{"id":{}}', "/id"],
  ] as const)
    expect(() => readHandle(Buffer.from(answer), pointer)).toThrow(BackendTrouble);
});

describe("a state", () => {
  const states = { STOPPED: "ended", DONE: "success" } as const;
  test.each([
    ["running\n", {}, { kind: "running" }],
    ["GONE", {}, { kind: "gone" }],
    [
      '{"state":"failed","exitCode":3,"message":"no"}',
      {},
      { kind: "ended", outcome: "failed", exitCode: 3, message: "no" },
    ],
    ['{"state":"success","output":{"rows":7}}', {}, { kind: "ended", outcome: "success", output: { rows: 7 } }],
    [
      '{"s":"STOPPED","code":"0"}',
      { state: "/s", exitCode: "/code" },
      { kind: "ended", outcome: "success", exitCode: 0 },
    ],
    ['{"s":"STOPPED"}', { state: "/s" }, { kind: "ended", outcome: "failed" }],
    ['{"s":"DONE"}', { state: "/s" }, { kind: "ended", outcome: "success" }],
    ["unknown", {}, { kind: "unknown" }],
    ["RESTARTING", {}, { kind: "unknown", message: expect.stringContaining("RESTARTING") as unknown }],
    ["", {}, { kind: "unknown" }],
    ["<html>", { state: "/s" }, { kind: "unknown" }],
  ])("%s", (answer, more, state) => {
    expect(readState(Buffer.from(answer), { ...command, states, ...more })).toMatchObject(state);
  });
});

test("a list has a key and a handle in each line", () => {
  expect(readList(Buffer.from("a-1 arn:1\n\nnothing\n  b-2   arn 2  \n"))).toEqual([
    { key: "a-1", id: "arn:1" },
    { key: "b-2", id: "arn 2" },
  ]);
});
