/** What tasks are called, with and without a name. */
import { expect, test } from "vitest";
import type { TaskAttempt } from "../api/schema.ts";
import { numberedTitle, titledAttempts, titleOf } from "./taskTitle.ts";

const set = "bake~00112233aabbccdd.";
const child = (index: number, name = "member") => ({
  id: `${set}${String(index).padStart(7, "0")}`,
  name,
  kind: "member",
});

test("a task without a name is called after its template", () => {
  const origin = { template: "report", version: 2, variables: {} };
  expect(titleOf({ id: "x1", name: "x1", kind: "exec", origin })).toBe("report");
  expect(titleOf({ id: "x1", name: "monday", kind: "exec", origin })).toBe("monday");
});

test("children that are called after their kind carry their number in their set", () => {
  const shown = [child(0), child(1), child(12)];
  expect(shown.map((task) => titleOf(task, shown))).toEqual(["member 0", "member 1", "member 12"]);
  expect(titleOf(child(12))).toBe("member 12");
});

test("an only child, a child with a name of its own and a task without a parent carry none", () => {
  expect(titleOf(child(0), [child(0)])).toBe("member");
  expect(titleOf(child(3, "Tuesday"))).toBe("Tuesday");
  expect(titleOf({ id: "member", name: "member", kind: "member" })).toBe("member");
});

test("attempts of children that share their name in one set are called as their tasks are", () => {
  const attempt = (task: string, name: string, number = 1) => ({ task, name, attempt: number }) as TaskAttempt;
  const given = [
    attempt(child(0).id, "member"),
    attempt(child(0).id, "member", 2),
    attempt(child(3).id, "member"),
    attempt(child(4).id, "Tuesday"),
    attempt("member", "member"),
  ];
  expect(titledAttempts(given).map(({ name }) => name)).toEqual([
    "member 0",
    "member 0",
    "member 3",
    "Tuesday",
    "member",
  ]);
  expect(titledAttempts(given.slice(0, 2))).toEqual(given.slice(0, 2));
});

test("a title with a number is a name and an index", () => {
  expect(numberedTitle(" invoice-page 3")).toEqual({ name: "invoice-page", index: 3 });
  expect(numberedTitle("night run 12")).toEqual({ name: "night run", index: 12 });
  for (const title of ["invoice-page", "3", "invoice-page 3a"]) expect(numberedTitle(title)).toBeNull();
});
