/** What an exec may be asked for, beyond what its schema can say. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../ids.ts";
import { limits } from "../limits.ts";
import { toSpec } from "../submission.ts";

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
