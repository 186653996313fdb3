/** How the place of a wrong value is named. */
import { expect, test } from "vitest";
import { queuePattern } from "./principals/principal.ts";
import { id, type Schema, taskId } from "./schema.ts";
import { toError } from "./schemaProblem.ts";
import { kindName, label } from "./submission.ts";

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

test("what a pattern asks for is said in words", () => {
  const problem = (schema: Schema) =>
    toError({ keyword: "pattern", path: "/id", params: {}, schema }, "invalid", "The path");
  expect(problem(id).message).toBe('"id" must be 1 to 128 of the characters a-z, A-Z, 0-9 and . _ : -.');
  for (const schema of [taskId, kindName, label, queuePattern]) expect(problem(schema).message).not.toMatch(/match|\^/);
  expect(problem({ type: "string", pattern: "^x$" }).message).toBe('"id" must match ^x$.');
});
