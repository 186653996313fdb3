/** What handlers give back is refused where it is made, with a word on where in it the trouble is. */
import { expect, test } from "vitest";
import { NonRetryableError } from "./errors.ts";
import { toJson } from "./jsonValue.ts";

test("what is kept is what will be read", () => {
  expect(toJson({ at: new Date(0), none: undefined, list: [undefined] }, "It")).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    list: [null],
  });
  expect(toJson(undefined, "It")).toBeNull();
});

test.each([
  [
    { user: { id: 2 ** 60 } },
    /^The result cannot be kept: A number is too large to be exact \(at \/user\/id\)\. .*strings/,
  ],
  [["\ud83d"], /half of a surrogate pair \(at \/0\)/],
  [{ a: { constructor: 1 } }, /The key "constructor" is not allowed \(at \/a\/constructor\)/],
  [() => {}, /it is a function/],
])("%j is refused", (value, message) => {
  expect(() => toJson(value, "The result")).toThrow(NonRetryableError);
  expect(() => toJson(value, "The result")).toThrow(message);
});
