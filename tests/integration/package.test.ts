/** What npm would publish: it is complete, and runs where there are no sources. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
let root: string;

beforeAll(() => {
  // Below `node_modules`, since that is where Node does not strip types: only what has been built can run there.
  mkdirSync("node_modules/.cache", { recursive: true });
  root = mkdtempSync("node_modules/.cache/outlast-package-");
  const home = join(root, "node_modules/outlast");
  run("node_modules/.bin/tsc", ["-p", "tsconfig.build.json", "--outDir", join(home, "dist")]);
  for (const name of [...manifest.files.filter((file) => file !== "dist"), "package.json"]) {
    cpSync(name, join(home, name), { recursive: true });
  }
}, 60_000);

afterAll(() => {
  rmSync(root, { recursive: true });
});

test("the command runs", () => {
  expect(run(process.execPath, [join(root, "node_modules/outlast/bin/outlast.js"), "--version"])).toBe(
    `${manifest.version}\n`,
  );
});

test("the client can be imported, and its types are there", () => {
  writeFileSync(
    join(root, "use.mts"),
    `import { createClient, type TaskDocument } from "outlast";
     export const wait = (id: string): Promise<TaskDocument> => createClient().wait(id);`,
  );
  run("node_modules/.bin/tsc", [
    "--noEmit",
    "--strict",
    "--ignoreConfig",
    "--module",
    "nodenext",
    join(root, "use.mts"),
  ]);
  writeFileSync(join(root, "use.mjs"), `import { createClient } from "outlast"; console.log(typeof createClient);`);
  expect(run(process.execPath, [join(root, "use.mjs")])).toBe("function\n");
});

/** Its standard output; throws with all of its output if it fails. */
function run(file: string, words: readonly string[]): string {
  try {
    return execFileSync(file, words, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${file} ${words.join(" ")} failed:\n${stdout}${stderr}`);
  }
}
