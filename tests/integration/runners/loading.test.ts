/** What cannot be loaded keeps a worker from starting, with the file and the line of the mistake. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findTaskFiles } from "../../../src/cli/taskFiles.ts";
import { findKind } from "../../../src/model/kinds/table.ts";
import { handlerOptions } from "../../../src/runner/handlerOptions.ts";
import { stage } from "../executor/stage.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-tasks-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(files: { readonly [name: string]: string }): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** @returns the kinds beside the built-in ones */
async function kindsOf(paths: readonly string[]): Promise<readonly string[]> {
  const on = await stage({ handlers: handlerOptions(await findTaskFiles(paths, folder)) });
  try {
    await on.executor.open();
    return on.executor.kinds.filter((kind) => findKind(kind) === undefined);
  } finally {
    await on.close();
  }
}

const task = (name: string) =>
  `import { defineTask } from "outlast";\nexport const task = defineTask({ name: "${name}", run: () => 1 });\n`;

test.each([
  ["a syntax error", { "a.ts": `${task("a")}\nexport const b = = 2;\n` }, /a\.ts:4: SyntaxError/],
  ["syntax that cannot be stripped", { "a.ts": `${task("a")}enum X { A }\n` }, /a\.ts:3: SyntaxError: TypeScript enum/],
  [
    "a missing export of another file",
    { "a.ts": 'import { gone } from "./b.ts";\nexport const a = gone;\n', "b.ts": "export const here = 1;\n" },
    /a\.ts:1: SyntaxError: .*'\.\/b\.ts' does not provide an export named 'gone'/,
  ],
  ["a missing file", { "a.ts": 'import "./gone.ts";\n' }, /a\.ts: Cannot find module '.*gone\.ts'/],
  ["an error while it loads", { "a.ts": '\nthrow new TypeError("boom");\n' }, /a\.ts:2: TypeError: boom/],
  ["no task", { "a.ts": "export const x = 1;\n" }, /a\.ts: exports x, none of them a task/],
  ["no export", { "a.ts": "export {};\n" }, /a\.ts: exports nothing/],
  ["a name that cannot be", { "a.ts": task("exec") }, /a\.ts:2: OutlastError: "exec" is the name of a built-in kind/],
])("%s", async (_what, files, message) => {
  write(files);
  await expect(kindsOf(["a.ts"])).rejects.toThrow(message);
});

test("two tasks of one name are both named", async () => {
  write({ "one.ts": task("same"), "two.ts": `\n${task("same")}` });
  await expect(kindsOf(["one.ts", "two.ts"])).rejects.toThrow(
    /two\.ts:3: a task "same" is defined at .*one\.ts:2 already/,
  );
});

test("a task that two files export is one task", async () => {
  write({ "real.ts": task("real"), "index.ts": 'export { task } from "./real.ts";\n' });
  expect(await kindsOf(["real.ts", "index.ts"])).toEqual(["real"]);
});

test("a folder and a pattern load what holds tasks, and leave out tests, declarations and packages", async () => {
  write({
    "all/a.ts": task("a"),
    "all/deep/b.mjs": task("b"),
    "all/words.ts": "export const words = 1;\n",
    "all/a.test.ts": "throw new Error('a test');\n",
    "all/a.d.ts": "throw new Error('a declaration');\n",
    "all/node_modules/x/index.js": "throw new Error('a package');\n",
  });
  expect(await kindsOf(["all"])).toEqual(["a", "b"]);
  expect(await kindsOf(["all/*.ts"])).toEqual(["a"]);
});

test.each(["nowhere.ts", "no/*.ts"])("%s names nothing", async (path) => {
  await expect(findTaskFiles([path], folder)).rejects.toThrow(`--tasks ${path}`);
});

test("what stops a folder from loading is told of all its files", async () => {
  write({ "bad/a.ts": "export const = 1;\n", "bad/b.ts": "export const = 1;\n" });
  await expect(kindsOf(["bad"])).rejects.toThrow(/bad\/a\.ts:1: .*\n.*bad\/b\.ts:1: /);
});
