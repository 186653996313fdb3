/** Each thing that is wrong has a line of its own, with its place. */
import { expect, test } from "vitest";
import { OutlastError } from "../model/errors.ts";
import { toError } from "../model/problems.ts";
import { problemLines } from "./problemLines.ts";

test("several problems are lines, one is a sentence", () => {
  const one = { path: "/input/tasks/a", message: 'a: Unknown property "x".' };
  const two = { path: "", message: "The tasks wait for each other in a circle: a → b → a." };
  expect(problemLines(toError([one], "the graph"))).toBe('a: Unknown property "x". (at /input/tasks/a)');
  expect(problemLines(toError([one, two], "the graph"))).toBe(
    [
      "2 things are wrong with the graph:",
      '- a: Unknown property "x". (at /input/tasks/a)',
      "- The tasks wait for each other in a circle: a → b → a.",
    ].join("\n"),
  );
});

test("what is not listed is counted", () => {
  const many = Array.from({ length: 100 }, (_, index) => ({ path: "", message: `Problem ${index}.` }));
  const lines = problemLines(toError(many, "the graph")).split("\n");
  expect(lines.at(-1)).toBe(`- and ${100 - (lines.length - 2)} more`);
});

test("any other error is its message with its place", () => {
  expect(
    problemLines(new OutlastError("invalid", "A password has at least 8 characters.", { path: "/password" })),
  ).toBe("A password has at least 8 characters. (at /password)");
});
