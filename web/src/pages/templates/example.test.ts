/** The example on an empty page is a template that a master takes. */
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkTemplate } from "../../../../src/model/templates/expansion.ts";
import { example } from "./example.ts";

test("the example is a template", () => {
  const { name, ...content } = parse(example);
  expect(name).toBe("report");
  expect(() => checkTemplate(content)).not.toThrow();
  expect(() => checkTemplate({ ...content, variables: {} })).toThrow("month");
});
