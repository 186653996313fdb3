/** How workers are told to stand. */
import { expect, test } from "vitest";
import { wordOf } from "./workerState.ts";

test.each([
  ["connected", false, false, "connected"],
  ["connected", true, false, "draining"],
  ["suspect", false, false, "connecting"],
  ["suspect", true, false, "connecting"],
  ["suspect", false, true, "suspect"],
  ["lost", false, false, "lost"],
  ["gone", true, false, "gone"],
] as const)("one that is %s (draining: %s, late: %s) is %s", (state, isDraining, isSilent, word) => {
  expect(wordOf({ state, isDraining }, isSilent)).toBe(word);
});
