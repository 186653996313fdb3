/** What npm would publish: it is complete, and runs where there are no sources. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
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
  // The space is there because paths may have one.
  root = resolve(mkdtempSync("node_modules/.cache/outlast package-"));
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

test("up starts its masters and workers, also from a path with a space", async () => {
  const command = ["up", "--port", "0", "--workers", "1", "--data", join(root, "data"), "--drain-timeout", "0s"];
  const up = spawn(process.execPath, [join(root, "node_modules/outlast/bin/outlast.js"), ...command], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(up, "exit");
  let told = "";
  const ready = new Promise<void>((resolveReady) => {
    up.stderr.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      if (told.includes("worker-1 is ready")) resolveReady();
    });
  });
  await Promise.race([ready, ended]);
  up.kill("SIGTERM");
  await ended;
  expect(told).toContain("worker-1 is ready");
});

test("the client can be imported, and its types are there", () => {
  writeFileSync(
    join(root, "use.mts"),
    `import { createClient, type Submission, type TaskDocument } from "outlast";
     export const wait = (id: string): Promise<TaskDocument> => createClient().wait(id);
     export const nap: Submission = { kind: "sleep", input: { seconds: 1 } };
     // @ts-expect-error the command is a list
     export const wrong: Submission = { kind: "exec", input: { command: "ls -l" } };`,
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
