/** The labels of axes, and points that no line leads to. */
import { expect, test } from "vitest";
import {
  clockText,
  countSteps,
  durationMarks,
  durationSteps,
  lonelyValues,
  marksAround,
  markText,
  timeSteps,
} from "./ticks.ts";

test("labels of an axis are as exact as its steps, and no two within it read alike", () => {
  const at = new Date(2026, 10, 28, 1, 2, 59).getTime();
  expect([0, 1_000, 2_000].map((more) => clockText(at + more, 1_000))).toEqual(["01:02:59", "01:03:00", "01:03:01"]);
  expect(clockText(at + 1_000, 60_000)).toBe("01:03");
  expect([0, 50].map((more) => clockText(at + more, 50))).toEqual(["01:02:59.000", "01:02:59.050"]);
  expect(timeSteps[0]).toBe(1_000);
});

test("steps are whole, and rise", () => {
  for (const steps of [countSteps, durationSteps, timeSteps]) {
    expect(steps.every(Number.isSafeInteger)).toBe(true);
    expect(steps).toEqual([...new Set(steps)].toSorted((a, b) => a - b));
  }
  expect(countSteps.slice(0, 5)).toEqual([1, 2, 5, 10, 20]);
});

test("a value between two gaps, or at an end beside one, is alone", () => {
  expect(lonelyValues([5, null, 4, 3, null, 0, undefined, 7])).toEqual([0, 5, 7]);
  expect(lonelyValues([null, null])).toEqual([]);
});

test("along a logarithmic axis each mark reads plainly, and one long wait leaves room for what is short", () => {
  const texts = ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "1 m", "10 m", "1 h", "10 h", "4 d", "40 d", "400 d"];
  expect(durationMarks.map(markText)).toEqual(texts);
  expect(marksAround(durationMarks, 3, 900_000)).toEqual(durationMarks.slice(0, 8));
  expect(marksAround(durationMarks, 20, 90)).toEqual([10, 100]);
  expect(marksAround(durationMarks, 10, 10)).toEqual([1, 10]);
  expect(marksAround(durationMarks, 1, 1)).toEqual([1, 10]);
  expect(marksAround(durationMarks, 5, 1e12)).toEqual(durationMarks);
});
