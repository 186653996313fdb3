/** Tests of reading tasks from a file: all of it is right, or nothing of it is sent. */
import { describe, expect, test } from "vitest";
import { UsageError } from "./failure.ts";
import { parseSubmissions } from "./submissionFile.ts";

const one = '{"kind":"sleep","input":{"seconds":1}}';

describe("parseSubmissions", () => {
  test("reads an array, one object, and one object a line", () => {
    expect(parseSubmissions(`[${one},${one}]`, "f")).toHaveLength(2);
    expect(parseSubmissions(JSON.stringify(JSON.parse(one), null, 2), "f")).toHaveLength(1);
    expect(parseSubmissions(`${one}\n\n${one}\r\n`, "f")).toHaveLength(2);
    expect(parseSubmissions(`\ufeff${one}`, "f")).toHaveLength(1);
  });

  test("fills in what the command line says, where the task says nothing", () => {
    const text = `${one}\n{"kind":"sleep","input":{"seconds":1},"queue":"own"}`;
    expect(parseSubmissions(text, "f", { queue: "given", priority: 3 })).toMatchObject([
      { queue: "given", priority: 3 },
      { queue: "own", priority: 3 },
    ]);
  });

  test("names every line that is wrong", () => {
    const text = [
      one,
      "{broken",
      '{"kind":"slep","input":{}}',
      '{"kind":"sleep","input":{"seconds":1},"qeue":"x"}',
      "5",
    ].join("\n");
    const read = () => parseSubmissions(text, "tasks.jsonl");
    expect(read).toThrow(UsageError);
    expect(read).toThrow(/^tasks\.jsonl is not sent/);
    expect(read).toThrow(/line 2: not JSON/);
    expect(read).toThrow(/line 3: .*no kind/);
    expect(read).toThrow(/line 4: "qeue" is not known here; did you mean "queue"\?/);
    expect(read).toThrow(/line 5: a task is a JSON object/);
  });

  test("does not list a thousand problems", () => {
    const read = () => parseSubmissions("x\n".repeat(1000), "f");
    expect(read).toThrow(/and 980 more/);
  });

  test("says what is wrong with an array that is no JSON", () => {
    expect(() => parseSubmissions(`[${one},`, "f")).toThrow(/not JSON/);
  });

  test.each(["", "\n\n", "[]"])("refuses %j, which holds nothing", (text) => {
    expect(() => parseSubmissions(text, "f")).toThrow(/no tasks/);
  });

  test("checks ids and values as the master would", () => {
    expect(() => parseSubmissions('{"id":"a/b","kind":"sleep","input":{"seconds":1}}', "f")).toThrow(/"id"/);
    expect(() => parseSubmissions('{"kind":"sleep","input":{"seconds":-1}}', "f")).toThrow(/input\/seconds/);
  });
});
