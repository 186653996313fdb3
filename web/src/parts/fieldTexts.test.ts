/** What texts of fields come to. */
import { expect, test } from "vitest";
import { durationField, durationMsOf, linesOf, patternsOf, UnreadableField } from "./fieldTexts.ts";

test("durations are read and shown", () => {
  const read = ["90s", "15 m", "1.5h", "2d"].map((text) => durationMsOf(text, "It"));
  expect(read).toEqual([90_000, 900_000, 5_400_000, 172_800_000]);
  const shown = [1500, 90_000, 900_000, 5_400_000, 172_800_000].map(durationField);
  expect(shown).toEqual(["1.5s", "90s", "15m", "90m", "2d"]);
  expect(() => durationMsOf("soon", "The wait")).toThrow(UnreadableField);
});

test("patterns have spaces or commas between them, and lines may contain spaces", () => {
  expect(patternsOf(" reports, etl-*  x ")).toEqual(["reports", "etl-*", "x"]);
  expect(linesOf("report of May\n\n  nightly, * \n")).toEqual(["report of May", "nightly, *"]);
  expect([patternsOf(" , "), linesOf("\n \n")]).toEqual([undefined, undefined]);
});
