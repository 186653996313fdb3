/** What an exec may be asked for, beyond what its schema can say. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../ids.ts";
import type { Json } from "../json.ts";
import { limits } from "../limits.ts";
import { type Submission, toSpec } from "../submission.ts";

function submit(input: { command: string[]; env?: { [name: string]: string }; cwd?: string }): unknown {
  return toSpec({ kind: "exec", input }, { id: "t" as TaskId, fingerprint: null, now: 0 });
}

describe("texts for a process are bounded in bytes", () => {
  const full = "é".repeat(limits.stringBytesMax / 2);

  test.each([
    ["an argument", { command: ["echo", `${full}x`] }, "/input/command/1"],
    ["a variable", { command: ["env"], env: { TEXT: `${full}x` } }, "/input/env/TEXT"],
    ["a directory", { command: ["true"], cwd: `${full}x` }, "/input/cwd"],
  ])("%s", (_, input, path) => {
    expect(() => submit(input)).toThrow(
      expect.objectContaining({ details: { path, limit: "stringBytesMax" } }) as Error,
    );
  });

  test("and may use the whole bound", () => {
    expect(() => submit({ command: ["echo", full], env: { TEXT: full } })).not.toThrow();
  });
});

describe("commands, files and artifacts", () => {
  const blob = `sha256:${"0".repeat(64)}`;
  const check = (input: Json) => toSpec({ kind: "exec", input }, { id: "t" as TaskId, fingerprint: null, now: 0 });

  test.each<[string, Json]>([
    ["several commands", { commands: [["make"], ["make", "test"]] }],
    ["several lines", { commands: ["make", "make test | tee log"], shell: true }],
    ["one line", { command: "make test | tee log", shell: true }],
    ["stdin as text", { command: ["cat"], stdin: "text" }],
    ["stdin as a blob", { command: ["cat"], stdin: { blob } }],
    ["files", { command: ["cat"], files: { "in/data.csv": blob, other: blob } }],
    ["artifacts", { command: ["cat"], artifacts: ["out/**", "*.log"] }],
  ])("%s", (_, input) => expect(() => check(input)).not.toThrow());

  test.each<[string, Json, string]>([
    ["neither", {}, "/input/command"],
    ["both", { command: ["a"], commands: [["a"]] }, "/input/command"],
    ["no command at all", { commands: [] }, "/input/commands"],
    ["a line without a shell", { commands: ["make test"] }, "/input/commands/0"],
    ["two words for a shell", { commands: [["make", "test"]], shell: true }, "/input/commands/0"],
    ["a command as a line without a shell", { command: "make test" }, "/input/command"],
    ["two words for a shell as the command", { command: ["make", "test"], shell: true }, "/input/command"],
    ["an empty line", { command: "", shell: true }, "/input/command"],
    ["NUL in a line", { command: "a\0", shell: true }, "/input/command"],
    ["NUL in a command", { commands: [["a"], ["b", "\0"]] }, "/input/commands/1/1"],
    ["a file above", { command: ["a"], files: { "../x": blob } }, "/input/files"],
    ["an absolute file", { command: ["a"], files: { "/etc/passwd": blob } }, "/input/files"],
    ["a file with NUL", { command: ["a"], files: { "a\0": blob } }, "/input/files"],
    ["a file with a long name", { command: ["a"], files: { ["x".repeat(65_536)]: blob } }, "/input/files"],
    ["a file as a folder", { command: ["a"], files: { a: blob, "a/b": blob } }, "/input/files"],
    ["a file that is no blob", { command: ["a"], files: { a: "/etc/passwd" } }, "/input/files/a"],
    ["a pattern above", { command: ["a"], artifacts: ["../**"] }, "/input/artifacts/0"],
    ["an absolute pattern", { command: ["a"], artifacts: ["/etc/*"] }, "/input/artifacts/0"],
    ["a long stdin", { command: ["a"], stdin: "é".repeat(40_000) }, "/input/stdin"],
  ])("%s is refused", (_, input, path) => {
    expect(() => check(input)).toThrow(
      expect.objectContaining({ code: "invalid", details: expect.objectContaining({ path }) }) as Error,
    );
  });
});

describe("a line for the shell", () => {
  const line = { command: "echo x | cat", shell: true };
  const list = { command: ["echo x | cat"], shell: true };
  const spec = (task: Submission) => toSpec(task, { id: "t" as TaskId, fingerprint: null, now: 0 });

  test("is stored as the list of one that workers and masters of earlier versions know, in graphs, too", () => {
    expect(spec({ kind: "exec", input: line }).input).toEqual(list);
    const graph = (input: Json): Json => ({
      tasks: { a: { kind: "graph", input: { tasks: { b: { kind: "exec", input } } } } },
    });
    expect(spec({ kind: "graph", input: graph(line) }).input).toEqual(graph(list));
  });

  test("leaves a task as it is that has no such line", () => {
    const input = { command: ["echo", "x"] };
    expect(spec({ kind: "exec", input }).input).toBe(input);
  });

  test.each<[Json, string]>([
    [
      { command: "echo x" },
      '"command": ["echo","x"]. For a line of /bin/sh, write "shell": true and "command": "echo x".',
    ],
    [
      { commands: ["echo x"] },
      '"commands": [["echo","x"]]. For a line of /bin/sh, write "shell": true and "commands": ["echo x"].',
    ],
    [{ command: ["echo", "x"], shell: true }, '"command": "echo x". To pass words as they are, leave out "shell".'],
    [
      { commands: [["echo", "x"]], shell: true },
      '"commands": ["echo x"]. To pass words as they are, leave out "shell".',
    ],
  ])("%j is told what to write", (input, message) => {
    expect(() => spec({ kind: "exec", input })).toThrow(message);
  });
});
