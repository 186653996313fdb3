/** Records of attempts that the checker must accept. */
import { expect, test } from "vitest";
import { attemptNumbers } from "../../src/proof/checkers/attemptNumbers.ts";
import { completed } from "./attemptLies.ts";

test("the record of an attempt that was given up is completed once its process has ended, and that may be said again", () => {
  expect(attemptNumbers.check(completed().build())).toEqual([]);
  const [again] = completed().build().entries.at(-1)?.writes ?? [];
  if (again === undefined) throw new Error("Nothing was completed.");
  expect(attemptNumbers.check(completed().entry(again).build())).toEqual([]);
});
