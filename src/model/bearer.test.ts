/** When a token that was refused is looked for anew. */
import { expect, test } from "vitest";
import { Bearer } from "./bearer.ts";

test("one that is given as it is has no other", () => {
  const bearer = new Bearer("one");
  expect(bearer.renew("one")).toBe(false);
  expect(bearer.token).toBe("one");
  expect(bearer.outlook).toMatch(/start it anew/);
});

test("one from a function is asked for again once it is refused, and never before", () => {
  let asked = 0;
  let current = "one";
  const bearer = new Bearer(() => {
    asked += 1;
    return current;
  });
  current = "two";
  expect([bearer.token, asked]).toEqual(["one", 1]);
  expect([bearer.renew("one"), bearer.token, asked]).toEqual([true, "two", 2]);
  // Another request had the old one under way.
  expect([bearer.renew("one"), bearer.token, asked]).toEqual([true, "two", 2]);
  expect([bearer.renew("two"), bearer.token, asked]).toEqual([false, "two", 3]);
  expect(bearer.outlook).toMatch(/has no other yet/);
});

test("one whose file cannot be read stays, and what is wrong with the file is told", () => {
  let read = () => "one";
  const bearer = new Bearer(() => read());
  read = () => {
    throw new Error("The token file is empty.");
  };
  expect([bearer.renew("one"), bearer.token]).toEqual([false, "one"]);
  expect(bearer.outlook).toMatch(/^The token file is empty\./);
  read = () => "two";
  expect([bearer.renew("one"), bearer.token]).toEqual([true, "two"]);
});

test("one without a file is refused at once where it cannot be had at first", () => {
  const read = () => {
    throw new Error("The token file is missing.");
  };
  expect(() => new Bearer(read)).toThrow("is missing");
});
