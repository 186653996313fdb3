/** Templates are expanded with hostile values: whatever a value holds, it stays one value in one place. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OutlastError } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import { limits } from "../limits.ts";
import { checkTemplate, expandTemplate } from "./expansion.ts";
import type { TemplateContent, TemplateVariables } from "./template.ts";

const echo = (variables: TemplateVariables, ...command: string[]): TemplateContent => ({
  variables,
  task: { kind: "exec", input: { command: ["echo", ...command] } },
});
const handler = (variables: TemplateVariables, input: Json): TemplateContent => ({
  variables,
  task: { kind: "resize", input },
});
const inputOf = (content: TemplateContent, given: JsonObject = {}): Json => expandTemplate(content, given).task.input;

function errorOf(call: () => unknown): OutlastError {
  try {
    call();
  } catch (error) {
    if (error instanceof OutlastError) return error;
    throw error;
  }
  throw new Error("It was accepted.");
}

const hostile = [
  "",
  " ",
  "a b",
  "'; rm -rf / #",
  "\"quoted\" 'both'",
  "$(touch pwned) `id` $HOME ${n} $${n} ${m}",
  "line one\nline two\r\n\ttab",
  "--option=value",
  "*?[a-z]{1,2}~",
  "a\\b\\",
  "é ✓ 🎉 \u202e\u0301 \ufeff",
  "\u2028\u2029",
  "x".repeat(limits.stringBytesMax),
  "__proto__",
  "%s %d %n",
];

describe("values", () => {
  test.each(hostile.map((value) => [value.slice(0, 20), value]))("%j stays one argument", (_shown, value) => {
    const content = echo({ n: { type: "string" } }, "before", "${n}", "after");
    expect(inputOf(content, { n: value })).toEqual({ command: ["echo", "before", value, "after"] });
  });

  test("any text stays one argument, alone and within text", () => {
    const content = echo({ n: { type: "string" } }, "${n}", "[${n}]");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (n) => {
        fc.pre(n.isWellFormed() && !n.includes("\0"));
        expect(inputOf(content, { n })).toEqual({ command: ["echo", n, `[${n}]`] });
      }),
    );
  });

  test("keep their type where the placeholder is the whole string, and are text inside one", () => {
    const variables = {
      i: { type: "integer" },
      x: { type: "number" },
      b: { type: "boolean" },
      j: { type: "json" },
      s: { type: "string" },
    } as const;
    const given = { i: 7, x: 0.5, b: false, j: { a: [1, null] }, s: "7" };
    expect(inputOf(handler(variables, ["${i}", "${x}", "${b}", "${j}", "${s}"]), given)).toEqual([
      7,
      0.5,
      false,
      { a: [1, null] },
      "7",
    ]);
    expect(inputOf(handler(variables, "${i} ${x} ${b} ${j} ${s}"), given)).toBe('7 0.5 false {"a":[1,null]} 7');
  });

  test("are text where a task takes text only", () => {
    const variables = { i: { type: "integer" }, b: { type: "boolean" }, j: { type: "json" } } as const;
    const content = {
      variables,
      task: { kind: "exec", input: { command: ["x", "${i}", "${b}", "${j}"], env: { I: "${i}" } }, name: "${i}" },
    };
    expect(expandTemplate(content, { i: 7, b: true, j: ["$(a)", "b c"] }).task).toEqual({
      kind: "exec",
      input: { command: ["x", "7", "true", '["$(a)","b c"]'], env: { I: "7" } },
      name: "7",
    });
  });

  test("are not searched for placeholders", () => {
    const variables = { a: { type: "string" }, b: { type: "string", default: "secret" } } as const;
    expect(inputOf(handler(variables, ["${a}", "x${a}${a}"]), { a: "${b}" })).toEqual(["${b}", "x${b}${b}"]);
  });

  test("reach every place, and names of properties stay as they are", () => {
    const content = handler({ n: { type: "integer" } }, { "${n}": [{ deep: ["${n}"] }] });
    expect(inputOf(content, { n: 1 })).toEqual({ "${n}": [{ deep: [1] }] });
  });

  test("may be called like members of every object", () => {
    const variables = { constructor: { type: "string" }, toString: { type: "string", default: "d" } } as const;
    expect(inputOf(handler(variables, "${constructor} ${toString}"), { constructor: "c" })).toBe("c d");
    const error = errorOf(() => inputOf(handler({}, "x"), { hasOwnProperty: 1 }));
    expect(error.message).toBe('Unknown variable "hasOwnProperty".');
  });

  test("may stand in any property of the task", () => {
    const content = {
      variables: { q: { type: "string" }, p: { type: "integer" } },
      task: { kind: "sleep", input: { seconds: "${p}" }, queue: "${q}", priority: "${p}", name: "nap in ${q}" },
    } as const;
    expect(expandTemplate(content, { q: "reports", p: 5 }).task).toEqual({
      kind: "sleep",
      input: { seconds: 5 },
      queue: "reports",
      priority: 5,
      name: "nap in reports",
    });
  });
});

test("$${ is a plain ${", () => {
  expect(inputOf(handler({ n: { type: "integer" } }, "$${n} $n $ { $${} ${n}$"), { n: 1 })).toBe("${n} $n $ { ${} 1$");
});

describe("variables", () => {
  const variables = {
    n: { type: "integer", minimum: 1, maximum: 10 },
    size: { type: "string", enum: ["small", "large"] },
    ratio: { type: "number", default: 0.5 },
    on: { type: "boolean" },
  } as const;

  test("have defaults, and all values are remembered", () => {
    const content = handler(variables, "${ratio}");
    expect(expandTemplate(content, { n: 1, size: "small", on: true }).variables).toEqual({
      n: 1,
      size: "small",
      ratio: 0.5,
      on: true,
    });
  });

  test("that are unknown, missing and wrong are listed in one error", () => {
    const error = errorOf(() => inputOf(handler(variables, "x"), { n: 11, sise: "small", ratio: "much" }));
    expect(error.code).toBe("invalid");
    expect(error.details["problems"]).toEqual([
      { path: "/variables/sise", message: 'Unknown variable "sise". Did you mean "size"?' },
      { path: "/variables/n", message: 'Variable "n" must be at most 10.' },
      { path: "/variables/size", message: 'Variable "size" is missing.' },
      { path: "/variables/ratio", message: 'Variable "ratio" must be a number.' },
      { path: "/variables/on", message: 'Variable "on" is missing.' },
    ]);
  });

  test.each([
    ["n", 1.5],
    ["n", "1"],
    ["n", 2 ** 60],
    ["n", null],
    ["size", "huge"],
    ["size", ["small"]],
    ["ratio", true],
    ["on", "true"],
    ["on", 1],
  ] as const)("%s is not %j", (name, value) => {
    const given = { n: 1, size: "small", on: true, [name]: value as Json };
    const error = errorOf(() => inputOf(handler(variables, "x"), given));
    expect(error.details.path).toBe(`/variables/${name}`);
  });
});

describe("a task", () => {
  test("is checked after the values were put in", () => {
    const content = {
      variables: { s: { type: "number" } },
      task: { kind: "sleep", input: { seconds: "${s}" } },
    } as const;
    expect(errorOf(() => inputOf(content, { s: -1 })).details).toMatchObject({ path: "/task/input/seconds" });
    const queue = { variables: { q: { type: "string" } }, task: { kind: "x", input: 1, queue: "${q}" } } as const;
    expect(errorOf(() => inputOf(queue, { q: "no spaces" })).details).toMatchObject({ path: "/task/queue" });
  });

  test("is bounded, however often a large value stands in it", () => {
    const content = handler(
      { n: { type: "string" } },
      Array.from({ length: 100 }, () => "${n}"),
    );
    expect(errorOf(() => inputOf(content, { n: "x".repeat(60_000) })).details.limit).toBe("bodyBytesMax");
    const text = handler({ n: { type: "string" } }, "${n}".repeat(10));
    expect(errorOf(() => inputOf(text, { n: "x".repeat(60_000) })).details.limit).toBe("stringBytesMax");
  });

  test("is nested no deeper than any other", () => {
    const nested = (depth: number, inner: Json): Json => (depth === 0 ? inner : [nested(depth - 1, inner)]);
    const content = handler({ j: { type: "json" } }, nested(20, "${j}"));
    expect(errorOf(() => inputOf(content, { j: nested(20, 1) })).details.limit).toBe("jsonDepthMax");
  });
});

describe("a template is refused", () => {
  test.each<[string, Json, string]>([
    ["without a task", {}, "/task"],
    ["with something unknown", { task: { kind: "x", input: 1 }, vars: {} }, "/vars"],
    ["whose task has an id", { task: { kind: "x", input: 1, id: "a" } }, "/task/id"],
    ["whose task has an unknown property", { task: { kind: "x", input: 1, pririty: 1 } }, "/task/pririty"],
    ["whose task has no kind", { task: { input: 1 } }, "/task/kind"],
    [
      "whose kind is a variable",
      { variables: { k: { type: "string" } }, task: { kind: "${k}", input: 1 } },
      "/task/kind",
    ],
    ["that uses what it does not declare", { task: { kind: "x", input: ["${n}"] } }, "/task/input/0"],
    ["with something like a placeholder", { task: { kind: "x", input: "${HOME:-/}" } }, "/task/input"],
    ["with an open placeholder", { task: { kind: "x", input: "${n" } }, "/task/input"],
    ["with a wrong name", { variables: { "1": { type: "json" } }, task: { kind: "x", input: 1 } }, "/variables/1"],
    ["with an unknown type", { variables: { a: { type: "int" } }, task: { kind: "x", input: 1 } }, "/variables/a/type"],
    [
      "with a wrong default",
      { variables: { a: { type: "integer", default: "1" } }, task: { kind: "x", input: 1 } },
      "/variables/a/default",
    ],
    [
      "with a wrong enum",
      { variables: { a: { type: "integer", enum: [1, "2"] } }, task: { kind: "x", input: 1 } },
      "/variables/a/enum/1",
    ],
    [
      "with an empty range",
      { variables: { a: { type: "integer", minimum: 2, maximum: 1 } }, task: { kind: "x", input: 1 } },
      "/variables/a",
    ],
    [
      "with a range of texts",
      { variables: { a: { type: "string", minimum: 2 } }, task: { kind: "x", input: 1 } },
      "/variables/a",
    ],
    [
      "whose defaults make no valid task",
      { variables: { s: { type: "number", default: -1 } }, task: { kind: "sleep", input: { seconds: "${s}" } } },
      "/task/input/seconds",
    ],
    [
      "that hands values to a shell",
      { variables: { a: { type: "string" } }, task: { kind: "exec", input: { shell: true, command: ["echo ${a}"] } } },
      "/task/input/command",
    ],
    [
      "that hands values to a shell in one of several commands",
      {
        variables: { a: { type: "string" } },
        task: { kind: "exec", input: { shell: true, commands: ["true", "echo ${a}"] } },
      },
      "/task/input/commands",
    ],
  ])("%s", (_what, content, path) => {
    expect(errorOf(() => checkTemplate(content)).details.path).toBe(path);
  });

  test("with everything that is wrong in one error", () => {
    const content = {
      variables: { a: { type: "integer", default: "x" } },
      task: { kind: "x", input: ["${b}", "${c"] },
    };
    expect(errorOf(() => checkTemplate(content)).details["problems"]).toHaveLength(3);
  });
});

test("values are text in several commands and on stdin, whatever is in them", () => {
  const hostile = "'; touch /tmp/x; $(id)\n\"";
  const content: Json = {
    variables: { n: { type: "integer" }, a: { type: "string" } },
    task: {
      kind: "exec",
      input: {
        commands: [
          ["seq", "${n}"],
          ["echo", "${a}"],
        ],
        stdin: "${n}",
      },
    },
  };
  checkTemplate(content);
  expect(inputOf(content as unknown as TemplateContent, { n: 3, a: hostile })).toEqual({
    commands: [
      ["seq", "3"],
      ["echo", hostile],
    ],
    stdin: "3",
  });
});

describe("what is wrong with the task", () => {
  const variables = { m: { type: "string" }, n: { type: "json", default: 1 } } as const;
  const messageOf = (task: JsonObject, values: JsonObject) =>
    errorOf(() => expandTemplate({ variables, task }, values)).message;
  const nap = { kind: "sleep", input: { seconds: "${n}" } };

  test("names the variable that has brought it", () => {
    const control = "A name may not hold control, formatting or broken characters.";
    expect(messageOf({ ...nap, name: "a ${m}" }, { m: "x\ny" })).toBe(`${control} It comes from the variable "m".`);
    expect(messageOf({ ...nap, name: "${m} ${n}" }, { m: "x\ny" })).toBe(
      `${control} It comes from the variables "m" and "n".`,
    );
    expect(messageOf(nap, { m: "", n: -1 })).toMatch(/It comes from the variable "n"\.$/);
    // The place lies in the value.
    expect(messageOf({ kind: "exec", input: { command: "${n}" } }, { m: "", n: ["a", "\0"] })).toMatch(
      /variable "n"\.$/,
    );
  });

  test("names it for each node of a graph", () => {
    const input = { tasks: { a: { ...nap, name: "${m}" }, b: { kind: "sleep", input: { seconds: -1 } } } };
    const message = messageOf({ kind: "graph", input }, { m: "x\ny" });
    expect(message).toMatch(/a: A name may not .* It comes from the variable "m"\. b: "seconds" must be .* to \d+\.$/);
  });
});

describe("a command that starts a shell itself", () => {
  const check = (input: Json, variable: Json = { type: "string" }, kind = "exec") =>
    checkTemplate({ variables: { m: variable, n: { type: "integer" } }, task: { kind, input } });
  const program = "echo ${m}";

  test.each<[Json[], number]>([
    [["sh", "-c", program], 2],
    [["/bin/bash", "-lc", program], 2],
    [["bash", "-l", "-ec", program, "bash", "x"], 3],
    [["bash", "-o", "pipefail", "-c", program], 4],
    [["bash", "-eo", "pipefail", "-c", program], 4],
    [["bash", "-c", "-e", program], 3],
    [["sh", "-c", "--", program], 3],
    [["bash", "--norc", "--rcfile", "file", "-c", program], 5],
    [["fish", "--command=echo ${m}"], 1],
    [["env", "A=b", "sh", "-c", program], 4],
    [["/usr/bin/env", "-i", "bash", "-c", program], 4],
    [["timeout", "10", "nice", "-n", "5", "zsh", "-c", program], 7],
    [["busybox", "sh", "-c", program], 3],
    [["su", "-", "user", "-c", program], 4],
    [["sudo", "-u", "user", "sh", "-c", program], 5],
  ])("%j is refused", (command, index) => {
    const { message, details } = errorOf(() => check({ command }));
    expect(details.path).toBe(`/task/input/command/${index}`);
    expect(message).toContain('["sh", "-c", "echo \\"$1\\"", "sh", "${m}"]');
  });

  test("is refused among several commands, in a container, in a graph, and for json", () => {
    const command = ["sh", "-c", program];
    expect(errorOf(() => check({ commands: [["true"], command] })).details.path).toBe("/task/input/commands/1/2");
    const inside = { image: "i", entrypoint: "/bin/sh", command: ["-c", program] };
    expect(errorOf(() => check(inside, { type: "string" }, "container")).details.path).toBe("/task/input/command/1");
    const graph = { tasks: { a: { kind: "exec", input: { command } } } };
    expect(errorOf(() => check(graph, { type: "string" }, "graph")).details.path).toBe(
      "/task/input/tasks/a/input/command/2",
    );
    expect(() => check({ command }, { type: "json" })).toThrow("for a part of its program");
  });

  test.each<[Json[]]>([
    [["sh", "-c", 'echo "$1"', "sh", "${m}"]],
    [["env", "A=${m}", "sh", "-c", "echo $A"]],
    [["sh", "script", "-c", "${m}"]],
    [["bash", "-e", "script", "${m}"]],
    [["sh", "-c", "seq ${n}"]],
    [["grep", "sh", "-c", "${m}"]],
    [["sort", "-c", "${m}"]],
    [["sh", "-c", "echo $${m}"]],
  ])("%j is allowed", (command) => {
    expect(() => check({ command })).not.toThrow();
  });

  test("takes one of the values that the template lists", () => {
    expect(() => check({ command: ["sh", "-c", program] }, { type: "string", enum: ["a", "b"] })).not.toThrow();
  });
});

test("a shell may get values in its environment", () => {
  const content: Json = {
    variables: { a: { type: "string" } },
    task: { kind: "exec", input: { shell: true, command: ['echo "$A"'], env: { A: "${a}" } } },
  };
  checkTemplate(content);
  expect(inputOf(content as unknown as TemplateContent, { a: "$(id)" })).toMatchObject({
    command: ['echo "$A"'],
    env: { A: "$(id)" },
  });
});
