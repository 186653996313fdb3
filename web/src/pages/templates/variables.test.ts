/** What the form of a template says is wrong. */
import { expect, test } from "vitest";
import { problemsOf, type Variables } from "./variables.ts";

// The generated type knows no numbers as defaults.
const variables = {
  title: { type: "string" },
  rows: { type: "integer", minimum: 1, maximum: 9, default: 5 },
  share: { type: "number" },
  more: { type: "json", default: {} },
} as unknown as Variables;
const well = { title: "sales", rows: "3", share: "0.5", more: "[1]" };

test("nothing is wrong with a form that is filled as its variables ask, nor with what has a default and is empty", () => {
  expect(problemsOf(variables, well)).toEqual({});
  expect(problemsOf(variables, { ...well, rows: "", more: "" })).toEqual({});
});

test("each field says what is wrong with it, in the order of the fields", () => {
  expect(problemsOf(variables, { title: "", rows: "1.5", share: "", more: "{" })).toEqual({
    title: "A value is needed here.",
    rows: "A whole number is needed here.",
    share: "A value is needed here.",
    more: "This is not valid JSON.",
  });
  expect(problemsOf(variables, { ...well, rows: "0" })).toEqual({ rows: "It must be at least 1." });
  expect(problemsOf(variables, { ...well, rows: "10" })).toEqual({ rows: "It must be at most 9." });
});

test("what a browser cannot read as a number is not taken for an empty field with a default", () => {
  expect(problemsOf(variables, { ...well, rows: "" }, ["rows"])).toEqual({ rows: "This is not a number." });
});
