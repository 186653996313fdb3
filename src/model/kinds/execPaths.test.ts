/** Paths and patterns inside an attempt's folder, hostile ones included. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../limits.ts";
import { folderMatcher, pathMatcher, relativePathProblem } from "./execPaths.ts";

describe("paths", () => {
  test.each(["a", "in/data.csv", ".hidden", "a b", "ü/…", "-rf", "a..b", "...", "x".repeat(255), "a\\b", "*"])(
    "%j stays inside",
    (path) => expect(relativePathProblem(path)).toBeNull(),
  );

  test.each([
    ["", "empty"],
    ["/etc/passwd", "relative"],
    ["//x", "relative"],
    ["../x", '".."'],
    ["a/../../x", '".."'],
    ["a/..", '".."'],
    ["./a", '"."'],
    ["a//b", "empty"],
    ["a/", "empty"],
    ["a\0b", "NUL"],
    ["\ud800", "broken"],
    ["x".repeat(256), "longer"],
    ["x/".repeat(600), "longer"],
    ["é".repeat(limits.stringBytesMax / 2), "longer"],
  ])("%j is refused", (path, why) => expect(relativePathProblem(path)).toContain(why));
});

describe("patterns", () => {
  test.each([
    ["out/**", "out/a", true],
    ["out/**", "out/a/b.txt", true],
    ["out/**", "out/.hidden", true],
    ["out/**", "other/out/a", false],
    ["out/**", "outer", false],
    ["out", "out/a/b", true],
    ["out", "out", true],
    ["*.txt", "a.txt", true],
    ["*.txt", "a/b.txt", false],
    ["**/*.txt", "a.txt", true],
    ["**/*.txt", "a/b/c.txt", true],
    ["a/**/z", "a/z", true],
    ["a/**/z", "a/b/c/z", true],
    ["a/**/z", "a/b/c/y", false],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["a?c", "a/c", false],
    ["[ab].(x)", "[ab].(x)", true],
    ["[ab]", "a", false],
    ["**", "any/thing", true],
  ])("%s and %s: %s", (pattern, path, isMatch) => expect(pathMatcher([pattern])(path)).toBe(isMatch));

  test.each([
    ["out/**", "out", true],
    ["out/**", "out/a/b", true],
    ["out/**", "other", false],
    ["out", "out/a", true],
    ["out/a/b", "out", true],
    ["out/a/b", "out/b", false],
    ["out/a/b", "out/a/b", true],
    ["*.txt", "a", false],
    ["*.txt", "a.txt", true],
    ["*/b", "a", true],
    ["*/b", "a/c", false],
    ["**/z", "a/b", true],
    ["a/**/z", "b", false],
    ["a/**/z", "a/b/c", true],
    ["**", "any/thing", true],
  ])("%s leads below %s: %s", (pattern, folder, leads) => expect(folderMatcher([pattern])(folder)).toBe(leads));

  test("a pattern leads below each folder that a file that matches is in", () => {
    const parts = (part: fc.Arbitrary<string>) => fc.array(part, { minLength: 1, maxLength: 5 });
    const names = parts(fc.constantFrom("a", "b", "ab"));
    const patterns = parts(fc.constantFrom("a", "b", "ab", "*", "?", "**", "a*"));
    fc.assert(
      fc.property(patterns, names, (wanted, path) => {
        const pattern = [wanted.join("/")];
        if (!pathMatcher(pattern)(path.join("/"))) return;
        for (let depth = 1; depth < path.length; depth += 1)
          expect(folderMatcher(pattern)(path.slice(0, depth).join("/"))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test("any of several", () => {
    const matches = pathMatcher(["a", "b/*.x"]);
    expect(["a", "b/c.x", "b/c.y"].map(matches)).toEqual([true, true, false]);
  });

  test("a path matches itself, and hostile patterns end soon", () => {
    const part = fc.stringMatching(/^[a-z.]{1,8}$/).filter((text) => text !== "." && text !== "..");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) =>
        pathMatcher([parts.join("/")])(parts.join("/")),
      ),
    );
    expect(pathMatcher(["*a".repeat(100)])("a".repeat(200))).toBe(true);
    expect(pathMatcher([`${"*a".repeat(100)}b`])("a".repeat(250))).toBe(false);
    expect(pathMatcher([`${"**/a/".repeat(60)}b`])("a/".repeat(200))).toBe(false);
  });
});
