/** What the form of a template says is wrong. */
import { expect, test } from "vitest";
import { mistakeOf, type Texts, type Variables } from "./variables.ts";

// The generated type knows no numbers as defaults.
const variables = {
  title: { type: "string" },
  rows: { type: "integer", minimum: 1, maximum: 9, default: 5 },
  share: { type: "number" },
  more: { type: "json", default: {} },
} as unknown as Variables;
const well = { title: "sales", rows: "3", share: "0.5", more: "[1]" };

function mistakesOf(texts: Texts) {
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, mistakeOf(variable, texts[name] ?? "")]),
  );
}

test("nothing is wrong with a form that is filled as its variables ask", () => {
  expect(mistakesOf(well)).toEqual({});
});

test("what is empty is no mistake: it has a default, or its browser asks for it", () => {
  expect(mistakesOf({})).toEqual({});
});

test("each field says what is wrong with it", () => {
  expect(mistakesOf({ title: "any", rows: "1.5", share: "much", more: "{" })).toEqual({
    rows: "A whole number is needed here.",
    share: "This is not a number.",
    more: "This is not valid JSON.",
  });
  expect(mistakesOf({ ...well, rows: "0" })).toEqual({ rows: "It must be at least 1." });
  expect(mistakesOf({ ...well, rows: "10" })).toEqual({ rows: "It must be at most 9." });
});
