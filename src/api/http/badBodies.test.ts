/**
 * Bad bodies and their wanted answers: sizes, depths, encodings, texts, numbers, prototypes, types, times, forged reports.
 * The numbers are those of the catalogue of bad inputs that the limits were drawn from.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { type BadInput, expectRefused, post } from "../../proof/fakes/badInput.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { type ApiServer, createApi } from "./server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let master: FakeMasterApi;
let api: ApiServer;

beforeAll(() => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
});
afterAll(() => api.close());

const nap = { kind: "sleep", input: { seconds: 1 } };
const submit = (change: object, headers: Record<string, string> = {}) =>
  post("/v1/tasks", { ...nap, ...change }, headers);

const report = { boot: "b", session: "3.1", epoch: 3, items: [] };
const item = {
  kind: "result",
  task: "a",
  attempt: 1,
  assignedAt: 1,
  boot: "b",
  outcome: "success",
  startedAt: 1,
  endedAt: 2,
};
const reports = (change: object) => post("/v1/workers/w/reports", { ...report, ...change });
const attach = attachRequest();
const sessions = (change: object) => post("/v1/workers/w/sessions", { ...attach, ...change });

const cases: readonly BadInput[] = [
  // 1: sizes
  {
    what: "a body over the bound",
    send: submit({ name: "x".repeat(limits.bodyBytesMax) }),
    code: "too-large",
    limit: "bodyBytesMax",
  },
  {
    what: "a batch over the bound",
    send: post("/v1/tasks/batch", " ".repeat(limits.batchBodyBytesMax + 1)),
    code: "too-large",
    limit: "batchBodyBytesMax",
  },
  {
    what: "a report over the bound",
    send: post("/v1/workers/w/reports", " ".repeat(limits.reportBodyBytesMax + 1)),
    code: "too-large",
    limit: "reportBodyBytesMax",
  },
  {
    what: "an NDJSON batch over the bound",
    send: post("/v1/tasks/batch", " \n".repeat(limits.batchBodyBytesMax / 2 + 1), {
      "content-type": "application/x-ndjson",
    }),
    code: "too-large",
    limit: "batchBodyBytesMax",
  },
  // 2: depth
  { what: "deep JSON", send: post("/v1/tasks", "[".repeat(100_000)), code: "bad-json", limit: "jsonDepthMax" },
  {
    what: "deep JSON in a report",
    send: post("/v1/workers/w/reports", '{"a":'.repeat(2_000_000)),
    code: "bad-json",
    limit: "jsonDepthMax",
  },
  {
    what: "deep JSON in a line",
    send: post("/v1/tasks/batch", `{}\n${"[".repeat(100)}`, { "content-type": "application/x-ndjson" }),
    code: "bad-json",
    limit: "jsonDepthMax",
  },
  // 3: encodings
  { what: "gzip", send: submit({}, { "content-encoding": "gzip" }), code: "unsupported-media" },
  { what: "an unknown encoding", send: submit({}, { "content-encoding": "br, gzip" }), code: "unsupported-media" },
  {
    what: "another charset",
    send: submit({}, { "content-type": "application/json; charset=utf-16" }),
    code: "unsupported-media",
  },
  { what: "another type", send: submit({}, { "content-type": "text/plain" }), code: "unsupported-media" },
  {
    what: "a form",
    send: post("/v1/tasks", "kind=sleep", { "content-type": "application/x-www-form-urlencoded" }),
    code: "unsupported-media",
  },
  { what: "a type that is none", send: submit({}, { "content-type": "junk" }), code: "unsupported-media" },
  {
    what: "NDJSON where one task is wanted",
    send: submit({}, { "content-type": "application/x-ndjson" }),
    code: "unsupported-media",
  },
  // 4: text
  { what: "bytes that are no UTF-8", send: post("/v1/tasks", Buffer.from([0x7b, 0xff, 0x7d])), code: "bad-json" },
  {
    what: "half a surrogate pair",
    send: post("/v1/tasks", '{"kind":"sleep","input":{"seconds":1},"name":"\\ud800"}'),
    code: "bad-json",
    path: "/name",
  },
  { what: "two byte order marks", send: post("/v1/tasks", `\ufeff\ufeff${JSON.stringify(nap)}`), code: "bad-json" },
  { what: "a control character in a name", send: submit({ name: "a\u0000b" }), code: "invalid", path: "/name" },
  { what: "a change of direction in a name", send: submit({ name: "a\u202eb" }), code: "invalid", path: "/name" },
  {
    what: "NUL in an argument",
    send: submit({ kind: "exec", input: { command: ["a\u0000"] } }),
    code: "invalid",
    path: "/input/command/0",
  },
  // 5: numbers
  {
    what: "an integer that is not exact",
    send: post("/v1/tasks", '{"kind":"sleep","input":{"seconds":9007199254740993}}'),
    code: "bad-json",
    path: "/input/seconds",
  },
  {
    what: "infinity",
    send: post("/v1/tasks", '{"kind":"sleep","input":{"seconds":1e400}}'),
    code: "bad-json",
    path: "/input/seconds",
  },
  { what: "NaN", send: post("/v1/tasks", '{"kind":"sleep","input":{"seconds":NaN}}'), code: "bad-json" },
  // 6: prototypes
  {
    what: "__proto__",
    send: post("/v1/tasks", '{"kind":"sleep","input":{"seconds":1},"__proto__":{"x":1}}'),
    code: "bad-json",
    path: "/__proto__",
  },
  {
    what: "constructor in the environment",
    send: submit({ kind: "exec", input: { command: ["a"], env: { constructor: "x" } } }),
    code: "bad-json",
    path: "/input/env/constructor",
  },
  {
    what: "prototype in an output",
    send: reports({ items: [{ ...item, output: { prototype: 1 } }] }),
    code: "bad-json",
    path: "/items/0/output/prototype",
  },
  // 7: types
  { what: "an operator for an id", send: submit({ id: { $gt: "" } }), code: "invalid", path: "/id" },
  { what: "a number for a name", send: submit({ name: 5 }), code: "invalid", path: "/name" },
  { what: "a string for a number", send: submit({ priority: "5" }), code: "invalid", path: "/priority" },
  { what: "a number for a boolean", send: sessions({ isDraining: 0 }), code: "invalid", path: "/isDraining" },
  { what: "a list for an object", send: post("/v1/tasks", [nap]), code: "invalid" },
  { what: "null for a body", send: post("/v1/tasks", "null"), code: "invalid" },
  { what: "an empty body", send: post("/v1/tasks", ""), code: "invalid" },
  { what: "a body where none belongs", send: post("/v1/queues/q/pause", { isPaused: true }), code: "bad-request" },
  {
    what: "an unknown property",
    send: submit({ prioritty: 1 }),
    code: "invalid",
    path: "/prioritty",
    hint: 'Did you mean "priority"?',
  },
  {
    what: "an unknown property of an input",
    send: submit({ input: { seconds: 1, second: 2 } }),
    code: "invalid",
    path: "/input/second",
  },
  {
    what: "a container without an image",
    send: submit({ kind: "container" }),
    code: "invalid",
    path: "/input/image",
  },
  {
    what: "a kind that is no name",
    send: submit({ kind: "a/b" }),
    code: "invalid",
    path: "/kind",
    limit: "kindLengthMax",
  },
  {
    what: "a label that is none",
    send: submit({ requires: ["a b"] }),
    code: "invalid",
    path: "/requires/0",
    limit: "labelLengthMax",
  },
  { what: "a missing property", send: post("/v1/tasks", { kind: "sleep" }), code: "invalid", path: "/input" },
  {
    what: "a bad id in a log",
    send: post("/v1/workers/w/logs", {
      session: "s",
      chunks: [{ task: "../x", attempt: 1, offset: 0, at: 1, base64: "", isTruncated: false }],
    }),
    code: "invalid",
    path: "/chunks/0/task",
  },
  // 11: too many at once
  {
    what: "more tasks than a batch may have",
    send: post("/v1/tasks/batch", { tasks: Array.from({ length: limits.batchTasksMax + 1 }, () => nap) }),
    code: "too-large",
    path: "/tasks",
    limit: "batchTasksMax",
  },
  {
    what: "more lines than a batch may have",
    send: post("/v1/tasks/batch", "{}\n".repeat(limits.batchTasksMax + 1), { "content-type": "application/x-ndjson" }),
    code: "too-large",
    limit: "batchTasksMax",
  },
  { what: "an empty batch", send: post("/v1/tasks/batch", { tasks: [] }), code: "invalid", path: "/tasks" },
  // 14: times
  ...(
    [
      ["a negative sleep", { input: { seconds: -1 } }, "/input/seconds"],
      ["a sleep of a thousand years", { input: { seconds: 3e10 } }, "/input/seconds"],
      ["a sleep in words", { input: { seconds: "1" } }, "/input/seconds"],
      ["a time-out of nothing", { timeoutMs: 0 }, "/timeoutMs"],
      ["a time-out with a fraction", { timeoutMs: 1.5 }, "/timeoutMs"],
      ["a time-out of 367 days", { timeoutMs: limits.durationMsMax + 1 }, "/timeoutMs"],
      ["a start before 1970", { startAt: -1 }, "/startAt"],
      ["a start after the end of time", { startAt: 8.64e15 }, "/startAt"],
      ["a start in words", { startAt: "2030-01-01" }, "/startAt"],
      ["no attempts", { attemptsMax: 0 }, "/attemptsMax"],
      ["a back-off that shrinks", { backoffFactor: 0.5 }, "/backoffFactor"],
      // 39: priorities
      ["a priority beyond", { priority: limits.priorityMax + 1 }, "/priority"],
    ] as const
  ).map(([what, change, path]) => ({ what, send: submit(change), code: "invalid" as const, path })),
  { what: "no body", send: { method: "POST", url: "/v1/tasks", headers: { host: "localhost" } }, code: "invalid" },
  // 32: forged protocol
  { what: "attempt 0", send: reports({ items: [{ ...item, attempt: 0 }] }), code: "invalid", path: "/items/0/attempt" },
  {
    what: "attempt -1",
    send: reports({ items: [{ ...item, attempt: -1 }] }),
    code: "invalid",
    path: "/items/0/attempt",
  },
  {
    what: "a huge epoch",
    send: post("/v1/workers/w/reports", JSON.stringify(report).replace('"epoch":3', '"epoch":9007199254740992')),
    code: "bad-json",
    path: "/epoch",
  },
  { what: "a negative epoch", send: reports({ epoch: -1 }), code: "invalid", path: "/epoch" },
  {
    what: "an unknown report",
    send: reports({ items: [{ kind: "conquer" }] }),
    code: "invalid",
    path: "/items/0/kind",
  },
  { what: "a report of no kind", send: reports({ items: [{}] }), code: "invalid", path: "/items/0/kind" },
  {
    what: "an unknown outcome",
    send: reports({ items: [{ ...item, outcome: "great" }] }),
    code: "invalid",
    path: "/items/0/outcome",
  },
  {
    what: "too many items",
    send: reports({ items: Array.from({ length: limits.reportItemsMax + 1 }, () => ({ kind: "bye" })) }),
    code: "too-large",
    limit: "reportItemsMax",
  },
  {
    what: "a capacity of -5",
    send: sessions({ capacity: -5 }),
    code: "invalid",
    path: "/capacity",
    limit: "capacityMax",
  },
  {
    what: "a capacity of a thousand million",
    send: sessions({ capacity: 1e9 }),
    code: "invalid",
    path: "/capacity",
    limit: "capacityMax",
  },
  {
    what: "more running than any worker can",
    send: sessions({
      running: Array.from({ length: limits.capacityMax + 1 }, () => ({
        task: "a",
        attempt: 1,
        assignedAt: 1,
        startedAt: 1,
      })),
    }),
    code: "too-large",
    path: "/running",
    limit: "capacityMax",
  },
  {
    what: "a log of a negative offset",
    send: post("/v1/workers/w/logs", {
      session: "s",
      chunks: [{ task: "a", attempt: 1, offset: -1, at: 1, base64: "", isTruncated: false }],
    }),
    code: "invalid",
    path: "/chunks/0/offset",
  },
];

test.each(cases)("$what is refused", async (input) => {
  await expectRefused(input, master, (send) => api.http.inject(send));
  expect.hasAssertions();
});
