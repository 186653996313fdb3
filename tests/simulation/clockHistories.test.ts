/** Histories of wall clocks that the checker of instants must accept. */
import { expect, test } from "vitest";
import { checkAll } from "../../src/proof/checkers/all.ts";
import { setBackAndForth } from "./familyLies.ts";

test("a wall clock that was set back and forth while its master was paused has not been set back for that master", () => {
  const found = checkAll(setBackAndForth({ isPaused: true, backToMs: 0 }).build());
  expect(found.filter(({ invariant }) => invariant === "I22")).toEqual([]);
});
