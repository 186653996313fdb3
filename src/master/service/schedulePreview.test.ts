/** What a preview says of past tasks that took longer than from tick to tick. */
import { expect, test } from "vitest";
import { overlapWarning } from "./schedulePreview.ts";

test("a schedule whose only task took too long is told of that one", () => {
  expect(overlapWarning([2000], 1000, "allow")).toMatch(/^Its last task took longer than 1s/);
  expect(overlapWarning([2000, 500], 1000, "allow")).toMatch(/^1 of its last 2 tasks took longer/);
  expect(overlapWarning([500], 1000, "allow")).toBeNull();
});
