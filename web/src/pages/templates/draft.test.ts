/** What the fields of a template's form hold, and what comes of them. */
import { expect, test } from "vitest";
import { checkTemplate } from "../../../../src/model/templates/expansion.ts";
import type { Template } from "../../api/schema.ts";
import {
  allowedMistake,
  type Draft,
  draftOf,
  nameMistake,
  newVariable,
  taskMistake,
  templateOf,
  type VariableDraft,
} from "./draft.ts";

const again = (template: Template, changes: Partial<Draft> = {}) => templateOf({ ...draftOf(template), ...changes });
const command = { kind: "exec", input: { command: ["./report.sh", "${month}"] } };

// The generated type knows no numbers as defaults.
const templates = [
  { task: command, description: "one month", variables: { month: { type: "string", description: "2026-11" } } },
  {
    task: { ...command, name: "report of ${month}", queue: "reports" },
    variables: { month: { type: "string", default: "" } },
  },
  {
    task: { kind: "resize", input: { n: "${n}" }, priority: 3 },
    variables: {
      n: { type: "integer", minimum: 1, maximum: 9, enum: [1, 3], default: 3 },
      share: { type: "number", default: 0.5 },
      isQuick: { type: "boolean", enum: [true], default: true },
      more: { type: "json", default: { a: [1] } },
      spaced: { type: "string", enum: [" a ", "two\nlines", ""] },
    },
  },
  { task: { kind: "exec", input: { command: ["sh", "-c", "echo 1\necho 2"] } } },
  { task: { kind: "exec", input: { command: ["make"], cwd: "/src" } } },
] as unknown as Template[];

test("a template that is opened and saved as it was says the same", () => {
  for (const template of templates) expect(again(template)).toEqual(template);
  expect(templates.map((each) => draftOf(each).runs)).toEqual(["command", "command", "task", "task", "task"]);
});

test("a new template is made of a command and its variables", () => {
  const empty = draftOf(null);
  const first: VariableDraft = { ...newVariable([]), name: "month" };
  const more = { ...newVariable([first]), name: "copies", type: "integer", isNeeded: false, value: "1" } as const;
  expect(more.key).not.toBe(first.key);
  const variables = [first, { ...more, minimum: "1", maximum: "20", allowed: "1\n 2 \n" }];
  const made = templateOf({ ...empty, command: "./report.sh\n${month}\n\n${copies}", queue: "reports", variables });
  expect(made).toEqual({
    variables: {
      month: { type: "string" },
      copies: { type: "integer", minimum: 1, maximum: 20, enum: [1, 2], default: 1 },
    },
    task: { kind: "exec", queue: "reports", input: { command: ["./report.sh", "${month}", "${copies}"] } },
  });
  expect(() => checkTemplate(made as unknown as Parameters<typeof checkTemplate>[0])).not.toThrow();
});

test("fields say what is wrong with what they hold", () => {
  const one = { ...newVariable([]), name: "month" };
  const other = newVariable([one]);
  const named = (name: string) => nameMistake({ ...other, name }, [one, { ...other, name }]);
  expect([named(""), named("day")]).toEqual([undefined, undefined]);
  expect(named("2nd")).toBe("A letter first, then letters, digits and _.");
  expect(named("month")).toBe("There is another variable of this name.");
  expect(allowedMistake({ ...one, type: "integer", allowed: "1\n2" })).toBeUndefined();
  expect(allowedMistake({ ...one, type: "integer", allowed: "1\ntwo" })).toBe("“two” is not of the type integer.");
  expect(taskMistake("")).toBeUndefined();
  expect(taskMistake("{")).toBe("The task is not valid JSON.");
  expect(taskMistake("[]")).toContain("The task is an object");
});
