/** How instants read, seen from another one. */
import { expect, test } from "vitest";
import { agoText } from "./time.tsx";

test.each([
  [1, "now"],
  [50, "in 50 s"],
  [59 * 60, "in 59 min"],
  [75 * 60, "in 1 h 15 min"],
  [90 * 60, "in 1 h 30 min"],
  [15 * 3600, "in 15 h"],
  [36 * 3600, "in 1 d 12 h"],
  [(2 * 24 + 22) * 3600, "in 2 d 22 h"],
  [90 * 24 * 3600 - 5, "in 90 d"],
  [-75 * 60, "1 h ago"],
])("what is %d s away reads %s", (seconds, text) => {
  const now = Date.UTC(2026, 10, 27);
  expect(agoText(now + seconds * 1_000, now)).toBe(text);
});
