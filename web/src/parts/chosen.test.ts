/** What an address chooses from a list with names. */
import { expect, test } from "vitest";
import { chosenOf } from "./chosen.tsx";

const list = [{ name: "nightly" }, { name: "hourly" }];

test("a name that is not there chooses nothing; without a name, the first one is chosen", () => {
  expect(chosenOf(list, "hourly")).toBe(list[1]);
  expect(chosenOf(list, undefined)).toBe(list[0]);
  expect(chosenOf(list, "gone")).toBeUndefined();
  expect(chosenOf([], undefined)).toBeUndefined();
});
