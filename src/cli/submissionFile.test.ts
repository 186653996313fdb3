/** Tests of reading tasks from a file: all of it is right, or nothing of it is sent. */
import { describe, expect, test } from "vitest";
import { UsageError } from "./failure.ts";
import { decodeUtf8, parseSubmissions } from "./submissionFile.ts";

const one = '{"kind":"sleep","input":{"seconds":1}}';

describe("parseSubmissions", () => {
  test("reads an array, one object, and one object a line", () => {
    const places = (text: string) => parseSubmissions(text, "f").places;
    expect(places(`[${one},${one}]`)).toEqual(["task 1", "task 2"]);
    expect(places(JSON.stringify(JSON.parse(one), null, 2))).toEqual(["task 1"]);
    expect(places(`${one}\n\n${one}\r\n`)).toEqual(["line 1", "line 3"]);
    expect(places(`\ufeff${one}`)).toEqual(["task 1"]);
  });

  test("fills in what the command line says, where the task says nothing", () => {
    const text = `${one}\n{"kind":"sleep","input":{"seconds":1},"queue":"own"}`;
    expect(parseSubmissions(text, "f", { queue: "given", priority: 3 }).submissions).toMatchObject([
      { queue: "given", priority: 3 },
      { queue: "own", priority: 3 },
    ]);
  });

  test("names every line that is wrong", () => {
    const text = [
      one,
      "{broken",
      '{"kind":"container","input":{}}',
      '{"kind":"sleep","input":{"seconds":1},"qeue":"x"}',
      "5",
    ].join("\n");
    const read = () => parseSubmissions(text, "tasks.jsonl");
    expect(read).toThrow(UsageError);
    expect(read).toThrow(/^tasks\.jsonl is not valid, so none/);
    expect(read).toThrow(/line 2: not JSON/);
    expect(read).toThrow(/line 3: .*"image" is missing/);
    expect(read).toThrow(/line 4: Unknown property "qeue"\. Did you mean "queue"\?/);
    expect(read).toThrow(/line 5: The task must be an object/);
  });

  test("names both places of an id that stands for different tasks, and takes equal ones for one", () => {
    const withId = (seconds: number) => `{"id":"a","kind":"sleep","input":{"seconds":${seconds}}}`;
    expect(parseSubmissions(`${withId(1)}\n${withId(1)}`, "f").submissions).toHaveLength(2);
    expect(() => parseSubmissions(`${withId(1)}\n${one}\n${withId(2)}`, "f")).toThrow(
      /line 3: the id "a" is used for a different task at line 1/,
    );
  });

  test("does not list a thousand problems", () => {
    const read = () => parseSubmissions("x\n".repeat(1000), "f");
    expect(read).toThrow(/and 980 more/);
  });

  test("says what is wrong with an array that is no JSON", () => {
    expect(() => parseSubmissions(`[${one},`, "f")).toThrow(/not JSON/);
  });

  test.each(["", "\n\n", "[]"])("refuses %j, which contains nothing", (text) => {
    expect(() => parseSubmissions(text, "f")).toThrow(/contains no tasks/);
  });

  test("checks ids and values as the master would", () => {
    expect(() => parseSubmissions('{"id":"a/b","kind":"sleep","input":{"seconds":1}}', "f")).toThrow(/"id"/);
    expect(() => parseSubmissions('{"kind":"sleep","input":{"seconds":-1}}', "f")).toThrow(/input\/seconds/);
  });
});

describe("decodeUtf8", () => {
  const bytes = (...parts: (string | number)[]) =>
    Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))));

  test("gives back what is UTF-8, replacement characters of its own included", () => {
    for (const text of ["", "plain", "é\n世界\ufffd🙂"]) expect(decodeUtf8(Buffer.from(text), "f")).toBe(text);
  });

  test.each([
    [
      "a byte of another encoding",
      bytes("é\nab", 0xe9, "c\n"),
      "line 2, byte 3 of the line (offset 5 in the file) is 0xe9",
    ],
    [
      "a cut character at the end",
      bytes("ab\n\n", 0xf0, 0x9f),
      "line 3, byte 1 of the line (offset 4 in the file) is 0xf0",
    ],
    ["UTF-16", bytes(0xff, 0xfe, "{", 0), "line 1, byte 1 of the line (offset 0 in the file) is 0xff"],
  ])("refuses %s, and says where", (_what, given, place) => {
    expect(() => decodeUtf8(given, "f")).toThrow(`f is not UTF-8: ${place}.`);
  });
});
