/** Sentences about one thing, where most are about several. */
import { expect, test } from "vitest";
import { counted } from "./counted.ts";

test("one is told as one", () => {
  expect([0, 1, 2].map((count) => counted(count, "task"))).toEqual(["0 tasks", "1 task", "2 tasks"]);
  expect([1, 2].map((count) => counted(count, "child", "children"))).toEqual(["1 child", "2 children"]);
});
