/** What tasks are called, with and without a name. */
import { expect, test } from "vitest";
import { titleOf } from "./taskTitle.ts";

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
