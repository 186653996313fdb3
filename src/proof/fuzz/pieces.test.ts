/** The small parts of the fuzzer: JSON that is none, mutations, patterns, refusals, logs, vitals, and how cases are made smaller. */
import { describe, expect, test } from "vitest";
import { Random } from "../simulation/random.ts";
import { mutateBytes } from "./byteMutations.ts";
import { FindingList } from "./findings.ts";
import { Members, pathsIn, RawText, replaceAt, toJsonText, valueAt } from "./jsonText.ts";
import { judgeLag } from "./loopWatch.ts";
import { brokenLines } from "./masterLog.ts";
import { compare } from "./memoryWatch.ts";
import { ApiDocument } from "./operations.ts";
import { whyRefused } from "./refusals.ts";
import { encode } from "./requests.ts";
import { shrink } from "./shrink.ts";
import { type Case, fill, toBytes } from "./steps.ts";
import { textLike, Values } from "./values.ts";
import { metric, parseVitals } from "./vitals.ts";

describe("JSON text", () => {
  test("holds what JSON.stringify cannot write", () => {
    const value = {
      a: [
        new RawText("1e400"),
        new Members([
          ["x", 1],
          ["x", 2],
          ["__proto__", {}],
        ]),
      ],
    };
    expect(toJsonText(value)).toBe('{"a":[1e400,{"x":1,"x":2,"__proto__":{}}]}');
  });

  test("any place in a value can be found and changed", () => {
    const value = { a: [1, { b: null }], c: "d" };
    const paths = pathsIn(value, 100);
    expect(paths).toEqual([[], ["a"], ["a", 0], ["a", 1], ["a", 1, "b"], ["c"]]);
    for (const path of paths)
      expect(
        valueAt(
          replaceAt(value, path, () => "!"),
          path,
        ),
      ).toBe("!");
    expect(value).toEqual({ a: [1, { b: null }], c: "d" });
  });
});

describe("refusals", () => {
  const document = new ApiDocument({
    paths: {},
    components: { schemas: { Point: { type: "object", required: ["x"], properties: { x: { type: "integer" } } } } },
  });
  const why = (text: string | Uint8Array) =>
    whyRefused(typeof text === "string" ? Buffer.from(text) : text, { $ref: "#/components/schemas/Point" }, document);

  test.each([
    '{"x":1}',
    '{"x":1,"more":[[[]]]}',
    '{"x":9007199254740991}',
    '{"x":1,"y":0.5,"x":2}',
    `{"x":1,"d":${"[".repeat(31)}${"]".repeat(31)}}`,
  ])("%s may be taken", (text) => {
    expect(why(text)).toBeNull();
  });

  test.each([
    ["JSON", "{"],
    ["JSON", Buffer.from([0x22, 0xff, 0x22])],
    ["JSON", '\ufeff\ufeff{"x":1}'],
    ["required", "{}"],
    ["integer", '{"x":"1"}'],
    ["exact", '{"x":9007199254740992}'],
    ["exact", '{"x":1,"y":1e400}'],
    ["__proto__", '{"x":1,"__proto__":1}'],
    ["constructor", '{"x":1,"y":[{"constructor":1}]}'],
    ["surrogate", '{"x":1,"y":"\\ud800"}'],
    ["surrogate", '{"x":1,"\\ud800":0}'],
    ["levels", `{"x":1,"d":${"[".repeat(32)}${"]".repeat(32)}}`],
    ["keys", `{"x":1,${Array.from({ length: 1000 }, (_, index) => `"k${index}":0`).join()}}`],
  ])("for want of %s", (reason, text) => {
    expect(why(text)).toContain(reason);
  });

  test("spoiled values are mostly refused, and values as drawn never", () => {
    const values = new Values(document);
    const schema = { $ref: "#/components/schemas/Point" };
    const random = new Random("values");
    let refused = 0;
    for (let count = 0; count < 300; count++) {
      const value = values.draw(schema, random);
      expect(why(toJsonText(value))).toBeNull();
      if (why(toJsonText(values.spoil(value, schema, random))) !== null) refused += 1;
    }
    expect(refused).toBeGreaterThan(150);
  });
});

test.each(["^[A-Za-z0-9._:-]{1,128}$", "^[0-9]{1,16}:[0-9]{1,16}$", "^[\\x20-\\x7e]{1,128}$"])(
  "texts like %s are like it",
  (pattern) => {
    const random = new Random(pattern);
    for (let count = 0; count < 200; count++) expect(textLike(pattern, random)).toMatch(new RegExp(pattern));
  },
);

test("mutations change bytes, the same ones for the same seed", () => {
  const original = Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const mutants = (seed: string) => {
    const random = new Random(seed);
    return Array.from({ length: 100 }, () => mutateBytes(original, random).toString("latin1"));
  };
  expect(mutants("a")).toEqual(mutants("a"));
  expect(new Set(mutants("a")).size).toBeGreaterThan(80);
});

test("names are filled in, and kept where they are not known", () => {
  const names = new Map([["id", "a b"]]);
  expect(fill("/{{id}}/{{other}}", names)).toBe("/a b/{{other}}");
  expect(toBytes(["{{id}}", { base64: "AP8=" }, { repeat: "xy", times: 2 }], names)).toEqual(
    Buffer.from("a b\u0000\u00ffxyxy", "latin1"),
  );
  expect(encode("{{id}}", new Random("x"))).toBe("{{id}}");
});

describe("a master's log", () => {
  test.each([
    '{"level":"error","msg":"a request failed"}',
    '{"level":"warn","msg":"x","error":{"stack":"TypeError: a is not a function"}}',
    "    at run (file:///app/main.js:1:2)",
    "Uncaught Exception",
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
  ])("%s is told", (line) => {
    expect(brokenLines(`{"level":"info","msg":"leading"}\n${line}\n`)).toEqual([line]);
  });

  test("warnings, and what the fuzzer provokes, are not", () => {
    const lines = [
      '{"level":"warn","msg":"closed the stream of a slow reader"}',
      '{"level":"error","msg":"a worker has seen a higher epoch than this master"}',
    ];
    expect(brokenLines(lines.join("\n"))).toEqual([]);
  });
});

test("vitals and metrics are read", () => {
  const status = "Name:\tnode\nVmRSS:\t  2048 kB\nThreads:\t7\n";
  expect(parseVitals(status, "1500000000 250000000 77\n")).toEqual({
    residentBytes: 2_097_152,
    busyMs: 1500,
    queuedMs: 250,
  });
  expect([metric("# a 1\na 2.5\nab 3\n", "a"), metric("b 1", "a")]).toEqual([2.5, null]);
  expect(judgeLag(300, 400, 50)).toEqual({ lagMs: 300, mostMs: 300, leastMs: 250 });
  // The thread has not run for long enough to have stood still for so long.
  expect(judgeLag(300, 20, 290)).toEqual({ lagMs: 300, mostMs: 20, leastMs: 10 });
});

test("a master that does not come back to what it needed is seen", () => {
  const base = { residentBytes: 200e6, usedBytes: 50e6, files: 40 };
  expect(compare(base, { residentBytes: 600e6, usedBytes: 90e6, files: 50 })).toEqual([]);
  expect(compare(base, { residentBytes: 2000e6, usedBytes: 50e6, files: 40 })).toHaveLength(1);
  expect(compare(base, { residentBytes: 2000e6, usedBytes: 900e6, files: 400 })).toHaveLength(3);
});

test("a finding is told once, however its numbers and names differ", () => {
  const findings = new FindingList();
  const found = (message: string) => findings.add({ rule: "server error", message });
  found("GET /v1/tasks/a?limit=1: It answered 500.");
  found("GET /v1/tasks/b?limit=7: It answered 500.");
  found("GET /v1/queues: It answered 500.");
  expect(findings.all.map(({ times }) => times)).toEqual([2, 1]);
});

test("a case is made as small as it can be while it stays bad", async () => {
  const request = (text: string): Case["steps"][number] => ({
    ...{
      kind: "request",
      method: "POST",
      path: "/",
      headers: [["a", "b"]],
      body: [`${"x".repeat(200)}${text}${"y".repeat(200)}`, { repeat: "z", times: 64 }],
    },
  });
  const given: Case = {
    name: "any",
    steps: [request("one"), request("bug"), { kind: "pause", ms: 1 }, request("two")],
  };
  const isBad = async ({ steps }: Case) => JSON.stringify(steps).includes("bug");
  const small = await shrink(given, isBad, 1000, 60_000);
  expect(small.steps).toHaveLength(1);
  expect(JSON.stringify(small).length).toBeLessThan(150);
  let played = 0;
  await shrink(given, async () => ++played > 0, 5, 60_000);
  expect(played).toBe(5);
});
