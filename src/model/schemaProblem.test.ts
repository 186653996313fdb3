/** How the place of a wrong value is named. */
import { expect, test } from "vitest";
import { toError } from "./schemaProblem.ts";

test.each([
  ["/input/command/1", '"command[1]" must be a string.'],
  ["/input/commands/0/2", '"commands[0][2]" must be a string.'],
  ["/3", '"[3]" must be a string.'],
  ["/name", '"name" must be a string.'],
  ["", "The body must be a string."],
])("at %j", (path, message) => {
  const problem = { keyword: "type", path, params: {}, schema: { type: "string" } };
  expect(toError(problem, "invalid", "The body").message).toBe(message);
});
