/** Every line belongs to exactly one range, wherever the borders fall. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { divide } from "./byteRanges.ts";
import { lineAt, wholeLines } from "./wholeLines.ts";

const bounds = { chunkBytes: 16, lineBytesMax: 1024 };

function sourceOf(bytes: Buffer, piece = Number.POSITIVE_INFINITY) {
  return {
    read: (target: Buffer, position: number) =>
      bytes.copy(target, 0, position, Math.min(bytes.length, position + Math.min(target.length, piece))),
  };
}

async function linesIn(bytes: Buffer, start: number, end: number, piece?: number) {
  const found: { offset: number; line: string; isCut: boolean }[] = [];
  for await (const chunk of wholeLines(sourceOf(bytes, piece), start, end, bounds)) {
    for (let at = 0; at < chunk.bytes.length; ) {
      const { end: stop, next } = lineAt(chunk.bytes, at);
      found.push({ offset: chunk.offset + at, line: chunk.bytes.toString("utf8", at, stop), isCut: chunk.isCut });
      at = next;
    }
  }
  return found;
}

describe("lines of ranges", () => {
  const text = fc.array(fc.constantFrom("", "a", "bb", "ä€", "c".repeat(40), "\r"), { maxLength: 30 });

  test("all ranges together read each line once, in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        async (parts, endsWithFeed, maps, piece) => {
          const bytes = Buffer.from(parts.join("\n") + (endsWithFeed ? "\n" : ""));
          const whole = await linesIn(bytes, 0, bytes.length);
          const ranges = divide([{ path: "f", size: bytes.length }], maps).flat();
          const divided = [];
          for (const { start, end } of ranges) divided.push(...(await linesIn(bytes, start, end, piece)));
          expect(divided).toEqual(whole);
          const expected = bytes
            .toString()
            .replace(/\n$/, "")
            .split("\n")
            .map((line) => line.replace(/\r$/, ""));
          expect(whole.map(({ line }) => line)).toEqual(bytes.length === 0 ? [] : expected);
        },
      ),
    );
  });

  test("a border right after a line feed gives the next line to the next range", async () => {
    const bytes = Buffer.from("one\ntwo\n");
    expect(await linesIn(bytes, 0, 4)).toEqual([{ offset: 0, line: "one", isCut: false }]);
    expect(await linesIn(bytes, 4, 8)).toEqual([{ offset: 4, line: "two", isCut: false }]);
  });

  test("a line that is too long is cut, and the lines around it are whole", async () => {
    const bytes = Buffer.from(`one\n${"x".repeat(5000)}\nthree\n`);
    const found = await linesIn(bytes, 0, bytes.length);
    expect(found.map(({ line, isCut }) => [line.length, isCut])).toEqual([
      [3, false],
      [1024, true],
      [5, false],
    ]);
    expect(await linesIn(bytes, 10, bytes.length)).toEqual([{ offset: 5005, line: "three", isCut: false }]);
  });
});

test("files are divided into ranges that cover each byte once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100), { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), (sizes, maps) => {
      const files = sizes.map((size, index) => ({ path: `${index}`, size }));
      const ranges = divide(files, maps);
      expect(ranges).toHaveLength(maps);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      for (const list of ranges) {
        const bytes = list.reduce((sum, { start, end }) => sum + end - start, 0);
        expect(bytes).toBeLessThanOrEqual(Math.ceil(total / maps));
      }
      let file = 0;
      let at = 0;
      for (const range of ranges.flat()) {
        while (at === (sizes[file] ?? 0)) {
          file += 1;
          at = 0;
        }
        expect([range.file, range.start]).toEqual([file, at]);
        expect(range.end).toBeGreaterThan(range.start);
        at = range.end;
      }
      expect(sizes.slice(file + 1).every((size) => size === 0) && (sizes[file] ?? 0) === at).toBe(true);
    }),
  );
});

test("files that cannot be divided are each given to one map, wherever they stand", () => {
  const isWhole = true;
  const files = [
    { path: "a", size: 10, isWhole },
    { path: "b", size: 30 },
    { path: "c", size: 0, isWhole },
    { path: "d", size: 30, isWhole },
  ] as const;
  for (const maps of [1, 2, 3, 7, 50]) {
    const ranges = divide(files, maps).flat();
    for (const file of [0, 2, 3]) {
      const of = ranges.filter((range) => range.file === file);
      expect(of).toEqual([{ file, start: 0, end: Number.MAX_SAFE_INTEGER }]);
    }
    const b = ranges.filter((range) => range.file === 1);
    expect(b.map(({ start }) => start)).toEqual([0, ...b.map(({ end }) => end)].slice(0, -1));
    expect(b.at(-1)?.end).toBe(30);
  }
  const equal = Array.from({ length: 4 }, (_, index) => ({ path: `${index}`, size: 5 + index, isWhole }) as const);
  expect(divide(equal, 4).map((ranges) => ranges.length)).toEqual([1, 1, 1, 1]);
});
