/** What is let through as JSON, and what is not (docs/reliability.md, 4). */

import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { parseJson } from "./jsonBody.ts";
import { readNdjson } from "./ndjson.ts";

function refusal(bytes: Buffer | string): OutlastError {
  try {
    parseJson(Buffer.from(bytes as string));
  } catch (error) {
    if (error instanceof OutlastError) return error;
    throw error;
  }
  throw new Error("It was let through.");
}

describe("JSON bodies", () => {
  test("come out as JSON.parse has them, whatever valid JSON they are", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const expected = JSON.parse(text) as unknown;
        let actual: unknown;
        try {
          actual = parseJson(Buffer.from(text));
        } catch (error) {
          // Half surrogates, names of prototypes and large integers do occur among arbitrary values.
          expect((error as OutlastError).code).toBe("bad-json");
          return;
        }
        expect(actual).toEqual(expected);
      }),
    );
  });

  test("are refused when bytes are not UTF-8", () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22])).message).toContain("UTF-8");
    expect(refusal(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])).message).toContain("UTF-8");
  });

  test.each([
    ["a byte order mark that is not at the start", "{\ufeff}"],
    ["two byte order marks", "\ufeff\ufeff{}"],
    ["an open string", '{"a'],
    ["an open escape", '"\\'],
    ["nothing but space", "  "],
    ["NaN", "NaN"],
    ["a trailing comma", "[1,]"],
  ])("are refused for %s", (_what, text) => {
    expect(refusal(text).code).toBe("bad-json");
  });

  test("may be as deep as the bound and no deeper, also when they are no JSON at all", () => {
    const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(Buffer.from(deep(limits.jsonDepthMax)))).toBeDefined();
    expect(refusal(deep(limits.jsonDepthMax + 1)).details.limit).toBe("jsonDepthMax");
    expect(refusal('{"a":'.repeat(5_000_000)).details.limit).toBe("jsonDepthMax");
    expect(parseJson(Buffer.from(JSON.stringify("[".repeat(100))))).toBe("[".repeat(100));
    expect(parseJson(Buffer.from('["\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]'))).toHaveLength(1);
  });

  test("may have as many keys in an object as the bound", () => {
    const wide = (keys: number) =>
      JSON.stringify({ a: Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, {}])) });
    expect(parseJson(Buffer.from(wide(limits.jsonKeysPerObjectMax)))).toBeDefined();
    expect(refusal(wide(limits.jsonKeysPerObjectMax + 1)).details.limit).toBe("jsonKeysPerObjectMax");
  });

  test.each([
    ['{"a":[{"__proto__":{}}]}', "/a/0/__proto__"],
    ['{"constructor":1}', "/constructor"],
    ['{"prototype" : 1}', "/prototype"],
    ['{"__pr\\u006fto__":1}', "/__proto__"],
  ])("are refused for the key of a prototype: %s", (text, path) => {
    expect(refusal(text).details.path).toBe(path);
  });

  test("may name prototypes in values", () => {
    expect(parseJson(Buffer.from('["__proto__","constructor"]'))).toEqual(["__proto__", "constructor"]);
  });

  test.each(["9007199254740993", "1e400", "-1e400", "[1e16]", '{"a":123456789012345678901234567890}'])(
    "are refused for a number that is not exact: %s",
    (text) => {
      expect(refusal(text).message).toContain("too large to be exact");
    },
  );

  test.each(["9007199254740991", "0.1234567890123456789", "1e3", "-0", "1.5e-7"])("keep the number %s", (text) => {
    expect(parseJson(Buffer.from(text))).toBe(JSON.parse(text));
  });

  test("are refused for half a surrogate pair, in keys as well", () => {
    expect(refusal('["\\ud800"]').details.path).toBe("/0");
    expect(refusal('{"\\udc00":1}').code).toBe("bad-json");
    expect(parseJson(Buffer.from('"\\ud83d\\ude00"'))).toBe("\u{1f600}");
  });

  test("may begin with a byte order mark", () => {
    expect(parseJson(Buffer.from('\ufeff{"a":1}'))).toEqual({ a: 1 });
  });

  test("of equal keys the last one counts", () => {
    expect(parseJson(Buffer.from('{"a":1,"a":2}'))).toEqual({ a: 2 });
  });

  test("never quote themselves in the error", () => {
    expect(JSON.stringify(refusal('{"password":"hunter2",}').toBody())).not.toContain("hunter2");
  });
});

describe("NDJSON bodies", () => {
  const read = (...chunks: string[]) => readNdjson(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 1000);

  test("are lines, wherever the chunks are cut, and empty lines count", async () => {
    await expect(read('{"a":', '1}\r\n\n{"b"', ":2}")).resolves.toEqual({
      values: [{ a: 1 }, { b: 2 }],
      lines: [1, 3],
    });
    await expect(read()).resolves.toEqual({ values: [], lines: [] });
  });

  test("may have byte order marks, as files that were saved with one and joined", async () => {
    const joined = '\ufeff{"a":1}\n\ufeff{"b":2}\n\ufeff\n';
    await expect(read(joined)).resolves.toEqual({ values: [{ a: 1 }, { b: 2 }], lines: [1, 2] });
  });

  test("name the line that is wrong", async () => {
    await expect(read('{"a":1}\n{"a":')).rejects.toMatchObject({ code: "bad-json", details: { line: 2 } });
  });

  test("are bounded as a whole and by line", async () => {
    await expect(read("1\n".repeat(600))).rejects.toMatchObject({
      code: "too-large",
      details: { limit: "batchBodyBytesMax" },
    });
    const line = Buffer.alloc(limits.bodyBytesMax / 4, 0x20);
    await expect(
      readNdjson(Readable.from([line, line, line, line, line]), limits.batchBodyBytesMax),
    ).rejects.toMatchObject({
      code: "too-large",
      details: { limit: "bodyBytesMax", line: 1 },
    });
  });
});
