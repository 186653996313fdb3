/** What makes a graph valid, in which order its nodes stand, and what becomes of references. */
import { describe, expect, test } from "vitest";
import { OutlastError } from "../errors.ts";
import type { TaskId } from "../ids.ts";
import type { Json } from "../json.ts";
import { limits } from "../limits.ts";
import { inputSchemaOf, toSpec } from "../submission.ts";
import { expandTemplate } from "../templates/expansion.ts";
import { planGraph } from "./plan.ts";
import { type EndedTask, fillInput, parseReference } from "./references.ts";

const node = (more: object = {}) => ({ kind: "crawl", input: {}, ...more });
const spec = (tasks: Json, more: object = {}) =>
  toSpec({ kind: "graph", input: { tasks }, ...more }, { id: "g" as TaskId, fingerprint: null, now: 0 }, "", {
    isNew: true,
  });

function problemsOf(tasks: object, more: object = {}): string[] {
  try {
    spec(tasks as Json, more);
    return [];
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    const problems = error.details["problems"] as { message: string }[] | undefined;
    return problems?.map(({ message }) => message) ?? [error.message];
  }
}

describe("a plan", () => {
  test("puts each node after all that it waits for, and keeps the order of the input otherwise", () => {
    const tasks = { z: node({ after: ["b", "a"] }), b: node(), a: node({ after: ["b"] }), free: node() };
    const plan = planGraph({ tasks });
    expect(plan.map(({ name, after }) => [name, after])).toEqual([
      ["b", []],
      ["free", []],
      ["a", [0]],
      ["z", [0, 2]],
    ]);
  });

  test("of the largest graph takes no deep recursion", () => {
    const tasks = Object.fromEntries(
      Array.from({ length: limits.graphTasksMax }, (_, n) => [`n${n}`, node(n === 0 ? {} : { after: [`n${n - 1}`] })]),
    );
    expect(planGraph({ tasks }).at(-1)?.after).toEqual([limits.graphTasksMax - 2]);
    const closed = { ...tasks, n0: node({ after: [`n${limits.graphTasksMax - 1}`] }) };
    expect(problemsOf(closed)[0]).toMatch(/in a circle: n0 → n9999 → .* → n0/);
  });
});

describe("a graph is refused, with everything that is wrong named at once:", () => {
  test("of a circle those that are in it, and not what only waits for it", () => {
    const tasks = { last: node({ after: ["pack"] }), pack: node({ after: ["test"] }), test: node({ after: ["pack"] }) };
    expect(problemsOf(tasks)).toEqual([
      "The tasks wait for each other in a circle: pack → test → pack. Each waits for the next one.",
    ]);
  });

  test("unknown names, repeats, circles with their path, and nodes that are no tasks", () => {
    const problems = problemsOf({
      ...{ load: node({ after: ["report"] }), clean: node({ after: ["load", "loud", "load"] }) },
      ...{ report: node({ after: ["clean"] }), "a b": node(), bad: { kind: "sleep", input: {} } },
    });
    expect(problems).toEqual([
      'bad: "seconds" is missing.',
      '"clean" waits for "loud", which is no task of this graph. Did you mean "load"?',
      '"clean" names "load" twice in "after".',
      expect.stringContaining('"a b" is no name of a node') as string,
      "The tasks wait for each other in a circle: load → report → clean → load. Each waits for the next one.",
    ]);
  });

  test.each([
    ["no tasks", {}, /at least one/],
    ["a node that waits for itself", { a: node({ after: ["a"] }) }, /circle: a → a/],
    ["an id", { a: node({ id: "x" }) }, /a: Unknown property "id"/],
    ["a node without what its kind needs", { a: { kind: "container", input: {} } }, /a: "image" is missing/],
    [
      "something in a graph in it",
      { s: { kind: "graph", input: { tasks: { x: node({ after: ["y"] }) } } } },
      /s: .*"y"/,
    ],
    [
      "a runIf of its own making",
      { a: node({ after: ["b"], runIf: "maybe" }), b: node() },
      /a: "runIf" must be one of/,
    ],
    [
      "a time-out of a graph",
      { s: { kind: "graph", input: { tasks: { x: node() } }, timeoutMs: 5 } },
      /timeoutMs would do/,
    ],
    [
      "a reference to a node that it does not wait for",
      { a: node(), b: node({ input: "${tasks.a.output}" }) },
      /waits for no task/,
    ],
    [
      "a reference in a program of a shell",
      { a: node(), b: { kind: "exec", after: ["a"], input: { shell: true, command: ["echo ${tasks.a.output}"] } } },
      /A shell would take an output/,
    ],
    [
      "a reference in one of several programs of a shell",
      { a: node(), b: { kind: "exec", after: ["a"], input: { shell: true, commands: ["echo ${tasks.a.output}"] } } },
      /A shell would take an output/,
    ],
    ["a runIf without anything to wait for", { a: node({ runIf: "always" }) }, /waits for no task/],
  ])("%s", (_what, tasks, message) => {
    expect(problemsOf(tasks).join("\n")).toMatch(message);
  });

  test("a node that takes outputs is told of with the others, as far as it is known", () => {
    const exec = (input: Json) => ({ kind: "exec", after: ["a"], input });
    const file = { "in.csv": "${tasks.a.artifacts.out.csv}" };
    const tasks = {
      a: { kind: "exec", input: { command: "make out.csv" } },
      line: exec({ command: "wc in.csv", files: file }),
      unknown: exec({ comand: ["wc"], files: file }),
      wrong: exec({ command: ["echo", "${tasks.a.output}"], cwd: 1 }),
      fine: exec({ command: ["echo", "${tasks.a.output}"], files: "${tasks.a.artifacts}", stdin: "${tasks.a.output}" }),
      whole: exec({ command: "${tasks.a.output}", files: file }),
    };
    const told = problemsOf(tasks).map((message) => message.slice(0, message.indexOf(":")));
    expect(told).toEqual(["a", "line", "unknown", "wrong"]);
  });

  test("what was taken by an earlier version is not checked more strictly when it comes to its tick", () => {
    const tasks = { a: node(), b: { kind: "exec", after: ["a"], input: { command: "x", stdin: "${tasks.a.output}" } } };
    const identity = { id: "g" as TaskId, fingerprint: null, now: 0 };
    expect(() => toSpec({ kind: "graph", input: { tasks } }, identity)).not.toThrow();
    expect(problemsOf(tasks)).toHaveLength(1);
  });

  test("more nodes or links than allowed", () => {
    const many = Object.fromEntries(Array.from({ length: limits.graphTasksMax + 1 }, (_, n) => [`n${n}`, node()]));
    expect(() => spec(many as Json)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ limit: "graphTasksMax" }) as object }) as Error,
    );
    const names = Array.from({ length: 320 }, (_, n) => `n${n}`);
    const dense = Object.fromEntries(
      Array.from({ length: 640 }, (_, n) => [`n${n}`, node(n < 320 ? {} : { after: names })]),
    );
    expect(problemsOf(dense).join("\n")).toMatch(/102400 links; 100000 are allowed/);
  });
});

describe("references", () => {
  const ended = (outputs: { readonly [name: string]: Json }) =>
    new Map(Object.entries(outputs).map(([name, output]) => [name, { isSuccess: true, output }]));
  const fill = (kind: string, input: Json, outputs: { readonly [name: string]: Json }) =>
    fillInput({ kind, input }, ended(outputs), inputSchemaOf);

  test("keep the type as a whole string, and are text inside of one", () => {
    const input = { all: "${tasks.a.output}", n: "${tasks.a.output.list.1}", text: "n=${tasks.a.output.list}!" };
    expect(fill("crawl", input, { a: { list: [1, 2] } })).toEqual({ all: { list: [1, 2] }, n: 2, text: "n=[1,2]!" });
  });

  test.each(['"', "'", "$(reboot)", "\n", "$" + "{tasks.a.output}", "é🎉", "x".repeat(60_000)])(
    "leave an argument one argument, and are never searched: %j",
    (value) => {
      expect(fill("exec", { command: ["echo", "${tasks.a.output}"] }, { a: value })).toEqual({
        command: ["echo", value],
      });
    },
  );

  test("that are escaped are plain text, and so is everything else that looks like a placeholder", () => {
    expect(fill("exec", { command: ["$${tasks.a.output} ${HOME} $$"] }, { a: 1 })).toEqual({
      command: ["${tasks.a.output} ${HOME} $$"],
    });
  });

  test("to what is not there name the place", () => {
    expect(() => fill("crawl", { x: "${tasks.a.output.b.c}" }, { a: { b: {} } })).toThrow(
      'The output.b of "a" has no "c".',
    );
    expect(() => fill("crawl", "${tasks.a.output.constructor}", { a: {} })).toThrow('has no "constructor"');
  });

  test("to a task that did not succeed are null", () => {
    const tasks = new Map([["a", { isSuccess: false, output: { rows: 1 } }]]);
    expect(fillInput({ kind: "crawl", input: ["${tasks.a.output.rows}"] }, tasks, inputSchemaOf)).toEqual([null]);
  });

  test("do not bound texts that hold none", () => {
    const code = "x".repeat(limits.stringBytesMax + 1);
    expect(fill("crawl", { code, n: "${tasks.a.output}" }, { a: 1 })).toEqual({ code, n: 1 });
    expect(fill("crawl", `${code}$\${tasks.a}`, { a: 1 })).toBe(`${code}\${tasks.a}`);
    expect(() => fill("crawl", { code: `${code}\${tasks.a.output}` }, { a: 1 })).toThrow("longer than 65536");
  });

  test("that make an input too large are refused", () => {
    const input = Array.from({ length: 20 }, () => "${tasks.a.output}");
    expect(() => fill("crawl", input, { a: "x".repeat(60_000) })).toThrow(/larger than 1048576 bytes/);
  });

  test("in a graph mean the nearest task of that name, and values bring none of their own", () => {
    const tasks = { own: node(), x: node({ after: ["own"], input: ["${tasks.own.output}", "${tasks.outer.output}"] }) };
    expect(problemsOf({ outer: node(), s: { kind: "graph", after: ["outer"], input: { tasks } } })).toEqual([]);
    const filled = fill("graph", { tasks }, { outer: "${tasks.own.output}", own: "not this" });
    expect(filled).toMatchObject({ tasks: { x: { input: ["${tasks.own.output}", "$${tasks.own.output}"] } } });
    const inner = (filled as { tasks: { x: { input: Json } } }).tasks.x.input;
    expect(fill("crawl", inner, { own: 5 })).toEqual([5, "${tasks.own.output}"]);
  });

  test("name ids that hold dots", () => {
    expect(parseReference("a.output.output.b", ["a", "a.output"])).toEqual({
      ...{ name: "a.output", part: "output", path: ["b"] },
    });
    expect(parseReference("a.outputs", ["a"])).toBeNull();
    expect(parseReference("a.artifacts.output.b", ["a", "a.artifacts"])).toMatchObject({ name: "a.artifacts" });
  });
});

describe("references to artifacts", () => {
  const made = {
    isSuccess: true,
    output: null,
    artifacts: new Map([
      ["out/report.v1.csv", "sha256:1"],
      ["log", "sha256:2"],
    ]),
  };
  const fill = (input: Json, task: EndedTask = made) =>
    fillInput({ kind: "exec", input }, new Map([["make", task]]), inputSchemaOf);

  test("take one file by its path, or all of them", () => {
    expect(fill({ files: { "in.csv": "${tasks.make.artifacts.out/report.v1.csv}" } })).toEqual({
      files: { "in.csv": "sha256:1" },
    });
    expect(fill({ files: "${tasks.make.artifacts}", stdin: { blob: "${tasks.make.artifacts.log}" } })).toEqual({
      files: { "out/report.v1.csv": "sha256:1", log: "sha256:2" },
      stdin: { blob: "sha256:2" },
    });
  });

  test("to a file that is not there name those that are", () => {
    expect(() => fill({ files: { x: "${tasks.make.artifacts.report.csv}" } })).toThrow(
      /"make" has left no artifact "report.csv". It has left out\/report.v1.csv, log: a command keeps/,
    );
    expect(() => fill("${tasks.make.artifacts.x}", { isSuccess: true, output: 1 })).toThrow("It has left none");
  });

  test("of a task that did not succeed are null", () => {
    expect(fill(["${tasks.make.artifacts.log}", "${tasks.make.artifacts}"], { ...made, isSuccess: false })).toEqual([
      ...[null, null],
    ]);
  });

  test("may stand wherever an output may, and nowhere else", () => {
    const input = { command: ["cat", "f"], files: { f: "${tasks.a.artifacts.out/f}" } };
    expect(problemsOf({ a: node(), b: { kind: "exec", after: ["a"], input } })).toEqual([]);
    expect(
      problemsOf({ a: node(), b: { kind: "exec", after: ["a"], input: { ...input, files: "${tasks.a.artifacts}" } } }),
    ).toEqual([]);
    expect(problemsOf({ a: node(), c: node(), b: { kind: "exec", after: ["c"], input } }).join()).toContain(
      "It waits for: c.",
    );
    expect(problemsOf({ a: node(), b: node({ after: ["a"], input: "${tasks.a.artifacts.}" }) }).join()).toContain(
      "takes no output",
    );
  });
});

describe("templates", () => {
  test("may hold graphs: variables are put in first, outputs when the nodes start, and a value is neither", () => {
    const tasks = {
      load: { kind: "exec", input: { command: ["load", "${day}", "${n}"] } },
      show: { kind: "exec", after: ["load"], input: { command: ["show", "${tasks.load.output}", "${day}"] } },
    };
    const variables = { day: { type: "string" }, n: { type: "integer" } } as const;
    const hostile = "${tasks.load.output}";
    const { task } = expandTemplate({ variables, task: { kind: "graph", input: { tasks } } }, { day: hostile, n: 3 });
    expect(task.input).toMatchObject({
      tasks: {
        load: { input: { command: ["load", "$${tasks.load.output}", "3"] } },
        show: { input: { command: ["show", "${tasks.load.output}", "$${tasks.load.output}"] } },
      },
    });
  });
});
