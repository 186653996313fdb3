/** What is said of attempts that ran beside each other. */
import { expect, test } from "vitest";
import type { Attempt } from "../../api/schema.ts";
import { besideTexts } from "./beside.ts";

function attempt(number: number, worker: string, from: number, more: Partial<Attempt> = {}): Attempt {
  return { attempt: number, worker, boot: `boot of ${worker}`, assignedAt: from, startedAt: from, ...more };
}

test("two attempts that overlapped say for how long, each of the other", () => {
  const first = attempt(1, "a", 0, { endedAt: 9_000, outcome: "failed" });
  const second = attempt(2, "b", 5_500, { endedAt: 20_000, outcome: "success" });
  expect(besideTexts(first, [first, second], 30_000)).toEqual(["ran 3.5 s beside attempt 2"]);
  expect(besideTexts(second, [first, second], 30_000)).toEqual(["ran 3.5 s beside attempt 1"]);
});

test("what runs has shared the time until now; on one worker one clock tells, and short overlaps count", () => {
  const first = attempt(1, "a", 0, { endedAt: 9_000, outcome: "failed" });
  expect(besideTexts(attempt(2, "b", 2_000), [first], 5_000)).toEqual(["ran 3.0 s beside attempt 1"]);
  expect(besideTexts(attempt(2, "a", 7_800), [first], 20_000)).toEqual(["ran 1.2 s beside attempt 1"]);
});

test("what the clocks of two workers may differ by is no overlap, nor is one after the other", () => {
  const first = attempt(1, "a", 0, { endedAt: 9_000, outcome: "failed" });
  expect(besideTexts(first, [first, attempt(2, "b", 8_000)], 20_000)).toEqual([]);
  expect(besideTexts(first, [first, attempt(2, "a", 9_000)], 20_000)).toEqual([]);
});

test("of an attempt that was given up while another worker went on, it is said that its real end is not known", () => {
  const first = attempt(1, "a", 0, { endedAt: 9_000, outcome: "killed" });
  const unknown = ["may have run beside attempt 2: when its process ended is not recorded"];
  expect(besideTexts(first, [first, attempt(2, "b", 9_100)], 20_000)).toEqual(unknown);
  expect(besideTexts(first, [first, attempt(2, "a", 9_100)], 20_000)).toEqual([]);
  expect(besideTexts(first, [first], 20_000)).toEqual([]);
});

test("of an attempt whose process went on, it is said how much later that ended, and beside which others", () => {
  const first = attempt(1, "a", 0, { endedAt: 9_000, processEndedAt: 16_500, outcome: "killed" });
  const second = attempt(2, "b", 9_100, { endedAt: 20_000, outcome: "success" });
  expect(besideTexts(first, [first, second], 30_000)).toEqual(["its process ended 7.5 s later, beside attempt 2"]);
  expect(besideTexts(second, [first, second], 30_000)).toEqual(["ran 7.4 s beside attempt 1"]);
  const third = attempt(3, "b", 10_000, { endedAt: 19_000, outcome: "failed" });
  const both = ["its process ended 7.5 s later, beside attempts 2 and 3"];
  expect(besideTexts(first, [first, second, third], 30_000)).toEqual(both);
  expect(besideTexts(first, [first], 30_000)).toEqual(["its process ended 7.5 s later"]);
});

test("where it had ended before its worker was given up, that is said; a moment is not worth a sentence", () => {
  const ended = (processEndedAt: number) => attempt(1, "a", 0, { endedAt: 9_000, processEndedAt, outcome: "killed" });
  const second = attempt(2, "b", 9_100, { endedAt: 20_000 });
  expect(besideTexts(ended(4_000), [second], 30_000)).toEqual(["its process had ended 5.0 s before"]);
  expect(besideTexts(ended(9_200), [second], 30_000)).toEqual([]);
  expect(besideTexts(ended(8_800), [second], 30_000)).toEqual([]);
});
