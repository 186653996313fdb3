/** The uncompiled check says of every value what ajv says of it, for the schemas that both are used with. */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "./json.ts";
import { builtInKinds } from "./kinds/table.ts";
import { limitKeyword, type Schema } from "./schema.ts";
import { checkSchema } from "./schemaCheck.ts";
import { submissionSchema } from "./submission.ts";

const schemas: readonly (readonly [string, Schema])[] = [
  ["Submission", submissionSchema],
  ...builtInKinds.map(({ inputName, inputSchema }) => [inputName, inputSchema] as const),
];

/** Values that are nearly right: known names, and what may stand under them. */
const leaf = fc.oneof(
  fc.constantFrom<Json[]>(null, true, "", "sleep", "exec", "a b", "gpu", "zone=eu", "é".repeat(3), "x".repeat(300)),
  fc.constantFrom<Json[]>(0, 1, -1, 1.5, 1001, 1e16, 5e9),
  fc.string({ unit: "grapheme" }),
  fc.integer(),
);
const key = fc.constantFrom(
  ...schemas.flatMap(([, schema]) => Object.keys(schema["properties"] as object)),
  "unknown",
  "__proto__",
  "A",
);
const value = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 8 }),
  ),
})).value;
const submission = fc.record(
  {
    kind: leaf,
    input: value,
    queue: leaf,
    priority: leaf,
    requires: value,
    startAt: leaf,
    backoffFactor: leaf,
    id: leaf,
  },
  { requiredKeys: ["kind"] },
) as fc.Arbitrary<Json>;

describe.each(schemas)("%s", (_name, schema) => {
  const validate = new Ajv2020({ strict: false, keywords: [limitKeyword] }).compile(schema);

  test("agrees with ajv", () => {
    fc.assert(
      fc.property(fc.oneof(value, submission), (any) => {
        expect(isValid(schema, any)).toBe(validate(any));
      }),
      { numRuns: 2000 },
    );
  });
});

test("of alternatives, one must fit; if none does, what is said is about the one of the value's type", () => {
  const schema = builtInKinds.find(({ name }) => name === "exec")!.inputSchema;
  for (const good of [{ commands: ["a", ["b"]] }, { stdin: "x" }, { stdin: { blob: `sha256:${"0".repeat(64)}` } }])
    expect(() => checkSchema(schema, good)).not.toThrow();
  expect(() => checkSchema(schema, { stdin: { blob: "x" } })).toThrow('"blob" must be `sha256:` and 64 hex digits.');
  expect(() => checkSchema(schema, { commands: ["a", [5]] })).toThrow('"commands[1][0]" must be');
  expect(() => checkSchema(schema, { commands: [5] })).toThrow('"commands[0]" must be');
});

test("names the place, the limit and what was meant", () => {
  expect(() => checkSchema(submissionSchema, { kind: "sleep", inptu: {} }, "/tasks/3")).toThrow('"input" is missing.');
  expect(problem({ kind: "sleep", input: {}, qeue: "x" })).toMatchObject({
    code: "invalid",
    details: { path: "/qeue", hint: 'Did you mean "queue"?' },
  });
  expect(problem({ kind: "sleep", input: {}, priority: 5000 })).toMatchObject({
    details: { path: "/priority", limit: "priorityMax" },
  });
  expect(problem({ kind: "sleep", input: {}, requires: ["a", "b c"] })).toMatchObject({
    details: { path: "/requires/1", limit: "labelLengthMax" },
  });
});

function isValid(schema: Schema, any: Json): boolean {
  try {
    checkSchema(schema, any);
    return true;
  } catch {
    return false;
  }
}

function problem(any: Json): unknown {
  try {
    checkSchema(submissionSchema, any);
    return null;
  } catch (error) {
    return error;
  }
}
