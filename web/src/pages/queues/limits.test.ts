/** Limits of a queue as people type them. */
import { expect, test } from "vitest";
import { limitFields, limitsOf, limitTexts } from "./limits.ts";

test("limits come back as they were typed, and empty fields take them away", () => {
  const limits = { concurrencyMax: 5, rate: { count: 100, perMs: 60_000 } };
  expect(limitFields(limits)).toEqual({ concurrencyMax: "5", count: "100", per: "1m" });
  expect(limitsOf(limitFields(limits))).toEqual(limits);
  expect(limitsOf(limitFields({}))).toEqual({ concurrencyMax: null, rate: null });
  expect(limitTexts(limits)).toEqual(["5 at a time", "100 in 1m"]);
  expect(limitTexts({})).toEqual([]);
});

test("what is no number or no duration is refused by the name of its field", () => {
  for (const wrong of ["0", "-1", "1.5", "many"])
    expect(() => limitsOf({ concurrencyMax: wrong, count: "", per: "" })).toThrow("“Running at a time”");
  expect(() => limitsOf({ concurrencyMax: "", count: "5", per: "soon" })).toThrow("“In each”");
});
