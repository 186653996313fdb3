/** What a worker lets through of what its attempts send and end with, masters take: they refuse a report as a whole. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkContent } from "../../core/agent/contentChecks.ts";
import { soundEnd } from "../../core/agent/endChecks.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptContent, AttemptEnd } from "../../model/protocol.ts";
import { parseJson } from "../http/jsonBody.ts";
import { checkBody } from "../http/validation.ts";

const checkReport = checkBody("ReportRequest");
const issued = { task: "t", attempt: 1, assignedAt: 1 };

/** Sends it as an item of a report, as it comes out of the process of a handler. @throws what a master refuses it for */
function report(item: object): void {
  const body = { boot: "b", session: "1.1", epoch: 1, items: [{ ...item, ...issued, id: 1 }] };
  checkReport(parseJson(Buffer.from(JSON.stringify(body))));
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

/** All that JSON may hold, and what masters do not take of it. */
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(2 ** 60, -1e300, "\ud800", "", "x".repeat(500), { constructor: 1 }, { "\udc00": 1 }),
  fc.integer({ min: 20, max: 34 }).map(nested),
  fc.double(),
  fc.constant(undefined),
);

/** Mostly right, and in one place anything. */
function spoiled<Content extends object>(right: Content): fc.Arbitrary<Content> {
  const places = Object.keys(right).filter((name) => name !== "kind");
  return fc.tuple(fc.constantFrom(...places), anyValue, fc.boolean()).map(([place, value, isRight]) => {
    // What a process sends is JSON: nothing is undefined there, and no number infinite.
    const text = JSON.stringify(isRight ? right : { ...right, [place]: value });
    return JSON.parse(text) as Content;
  });
}

const task = { kind: "resize", input: { a: 1 }, priority: 1, name: "n", queue: "q", attemptsMax: 2, requires: ["gpu"] };
const contents: readonly object[] = [
  { kind: "progress", done: 1, total: 2, text: "half", at: 1 },
  { kind: "step", key: "k", value: { a: 1 } },
  {
    kind: "children",
    key: "k",
    first: 0,
    submissions: [task],
    before: "",
    isLast: true,
    onFailure: "wait",
    failuresMax: 1,
    concurrencyMax: 1,
  },
  { kind: "submit", key: "k", submission: task },
];
const ofTask = spoiled(task).chain((each) =>
  fc.constantFrom<object>(
    { kind: "submit", key: "k", submission: each },
    { kind: "children", key: "k", first: 0, submissions: [task, each], before: "", isLast: true, onFailure: "cancel" },
  ),
);

/** What the worker itself puts there is always right. */
const own: readonly string[] = ["at", "first", "before", "isLast"];

test("an item of an attempt is refused on the worker, or taken by masters", () => {
  const content = fc.oneof(ofTask, fc.constantFrom(...contents).chain(spoiled));
  let passed = 0;
  fc.assert(
    fc.property(content, (given) => {
      const right = contents.find((each) => (each as AttemptContent).kind === (given as AttemptContent).kind) ?? {};
      const kept = Object.entries(right).filter(([name]) => own.includes(name));
      const checked = checkContent({ ...given, ...Object.fromEntries(kept) } as AttemptContent);
      if ("code" in checked) return;
      passed += 1;
      report(checked);
    }),
    { numRuns: 3_000 },
  );
  expect(passed).toBeGreaterThan(300);
});

const end = { startedAt: 1, endedAt: 2 };
const ends: readonly AttemptEnd[] = [
  { ...end, outcome: "success", output: { a: 1 } },
  { ...end, outcome: "failed", error: { code: "c", message: "m" }, retryAfterMs: 5 },
  { ...end, outcome: "suspended", waits: [{ kind: "signal", key: "k", name: "n", timeoutMs: 1 }] },
];

test("the end of an attempt is taken by masters, whatever its task has made of it", () => {
  const wait = spoiled({ kind: "signal", key: "k", name: "n", timeoutMs: 1 });
  const error = spoiled({ code: "c", message: "m" });
  const any = fc.oneof(
    fc.constantFrom(...ends).chain((each) => spoiled(each)),
    wait.map((each) => ({ ...end, outcome: "suspended", waits: [each] })),
    error.map((each) => ({ ...end, outcome: "failed", error: each })),
  );
  fc.assert(
    fc.property(any, (given) => {
      const { outcome, startedAt, endedAt, ...more } = given as AttemptEnd;
      const isEnd = ["success", "failed", "suspended"].includes(outcome) && startedAt === 1 && endedAt === 2;
      fc.pre(isEnd);
      report({ kind: "result", boot: "b", ...soundEnd({ outcome, startedAt, endedAt, ...more }) });
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  [
    "a number that is too large to be exact",
    { id: 2 ** 60 },
    "Its output cannot be kept: A number is too large to be exact (at /id).",
  ],
  ["what is nested too deep", nested(30), "Its output cannot be kept: A value is nested too deep (at /0"],
])("an output with %s is a final failure that says so", (_what, output, message) => {
  const given: AttemptEnd = { ...end, outcome: "success", output: output as Json };
  const { outcome, error } = soundEnd(given);
  expect([outcome, error?.code]).toEqual(["failed", "non-retryable"]);
  expect(error?.message).toContain(message);
});

test("as much as masters take goes through", () => {
  const value = nested(limits.jsonDepthMax - 3) as Json;
  const step = checkContent({ kind: "step", key: "k", value });
  expect(step).toEqual({ kind: "step", key: "k", value });
  report(step);
  const success: AttemptEnd = soundEnd({ ...end, outcome: "success", output: value });
  expect(success.outcome).toBe("success");
  report({ kind: "result", boot: "b", ...success });
});
