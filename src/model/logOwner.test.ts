/** Output of a forgotten task never becomes that of its successor. */
import { expect, test } from "vitest";
import type { TaskId } from "./ids.ts";
import { isOutputOf } from "./logOwner.ts";

const task = { createdAt: 100, attempt: 2, assignedAt: 130 };
const of = (attempt: number, assignedAt?: number) =>
  isOutputOf(task, { task: "t" as TaskId, attempt, ...(assignedAt !== undefined && { assignedAt }) });

test("the current attempt is known by the instant at which it was assigned", () => {
  expect(of(2, 130)).toBe(true);
  expect(of(2, 60)).toBe(false);
  expect(of(3, 60)).toBe(false);
});

test("an earlier attempt was assigned after its task was created", () => {
  expect(of(1, 110)).toBe(true);
  expect(of(1, 60)).toBe(false);
});

test("a worker that does not say when is believed", () => {
  expect(of(1)).toBe(true);
  expect(of(2)).toBe(true);
});
