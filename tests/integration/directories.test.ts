/** Directories that nothing can be written to: each command says what is in the way. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { folder } from "./commands.ts";

const program = join(import.meta.dirname, "../../bin/outlast.js");
const endMsMax = 20_000;

/** Each command that makes directories, with a place for them. */
const commands = (place: string): readonly (readonly [string, ...string[]])[] => [
  ["master", "--port", "0", "--data", place],
  ["worker", "--masters", "127.0.0.1:1", "--data", place],
  ["up", "--port", "0", "--data", place],
  ["demo", "--dir", place],
  ["stress", "--dir", place],
];

function run(script: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("/bin/sh", ["-c", script], { cwd: folder, encoding: "utf8", timeout: endMsMax });
}

test.each(commands("data"))("a deleted working directory is named by %s", (...words) => {
  const { status, stderr } = run(
    `mkdir gone && cd gone && rmdir ../gone && exec '${process.execPath}' '${program}' ${words.join(" ")}`,
  );
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining("The working directory has been deleted.") as string,
  });
});

test.each(commands(join("file", "data")))("a file in the place of a directory is named by %s", (...words) => {
  writeFileSync(join(folder, "file"), "");
  const { status, stderr } = run(`exec '${process.execPath}' '${program}' ${words.join(" ")}`);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining(`${join(folder, "file")} is not a directory.`) as string,
  });
});

test.each(commands("/proc/none/data"))("a place where none can be made is named by %s", (...words) => {
  const { status, stderr } = run(`exec '${process.execPath}' '${program}' ${words.join(" ")}`);
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringMatching(/none\/data.* cannot be created: nothing can be made in \/proc\./) as string,
  });
});

test.each([
  ["doctor", 1, /BAD +files +\/proc\/none cannot be used: ENOENT/],
  ["master --port 0 --store memory:", 1, /\/proc\/none cannot be used: ENOENT.*/],
])("a place for files where none can be made is named by %s", (words, code, told) => {
  const commandLine = `${words} --data ${join(folder, "none")} --blobs directory:/proc/none`;
  const { status, stdout, stderr } = run(`exec '${process.execPath}' '${program}' ${commandLine}`);
  expect({ status, told: stdout + stderr }).toEqual({ status: code, told: expect.stringMatching(told) as string });
});

describe("a read-only file system", () => {
  test.each(commands("READ-ONLY/data"))("is named by %s", (...words) => {
    const place = readOnly();
    if (place === null) return;
    const commandLine = words.map((word) => word.replace("READ-ONLY", place)).join(" ");
    const { status, stderr } = run(`exec '${process.execPath}' '${program}' ${commandLine}`);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringContaining(`: ${place} is on a read-only file system.`) as string,
    });
  });
});

/** Null where this process may not mount one. */
function readOnly(): string | null {
  const place = mkdtempSync(join(tmpdir(), "outlast-read-only-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro,size=1m", "outlast-test", place], { stdio: "ignore" });
  } catch {
    rmSync(place, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync("umount", ["-l", place]);
    rmSync(place, { recursive: true });
  });
  return place;
}
