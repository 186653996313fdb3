/** A machine that is short of something: no attempt is counted for that, and no leftover is overlooked. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaults } from "../../../src/model/limits.ts";
import { type Stage, stage } from "./stage.ts";

/** Runs the part of that name in a process that may have only so many open files. @returns what it prints, from JSON */
async function exhausted(part: string): Promise<unknown> {
  const script = fileURLToPath(new URL("exhausted.ts", import.meta.url));
  const child = spawn("sh", ["-c", 'ulimit -n 100 && exec "$@"', "sh", process.execPath, script, part], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.on("data", (piece) => (text += piece));
  await new Promise((resolve) => child.once("close", resolve));
  return JSON.parse(text);
}

describe("a worker without descriptors", () => {
  test("gives an attempt back and says why; once it has some again, commands run", async () => {
    expect(await exhausted("spawn")).toEqual([
      { outcome: "aborted", code: "machine", says: expect.stringContaining("too many files open") },
      { outcome: "success" },
    ]);
  });

  test("still finds and kills what a command has left behind", async () => {
    expect(await exhausted("sweep")).toMatchObject({ killed: 1, left: [], isComplete: true });
  });
});

describe("directories", () => {
  let on: Stage;
  beforeAll(async () => {
    on = await stage();
  });
  afterAll(() => on.close());

  test("that a task names and that are not there are its own fault", async () => {
    for (const cwd of ["/no/such/place", "nowhere", "/etc/passwd"]) {
      expect(await on.exec(["true"], { cwd }).ended).toMatchObject({ outcome: "failed", error: { code: "spawn" } });
    }
  });

  test("of the worker's own are the machine's fault, also for a task that names one inside it", async () => {
    rmSync(on.directory, { recursive: true });
    for (const more of [{}, { cwd: "inside" }]) {
      expect(await on.exec(["true"], more).ended).toMatchObject({ outcome: "aborted", error: { code: "machine" } });
    }
    expect(await on.exec(["true"], { cwd: "/" }).ended).toMatchObject({ outcome: "success" });
  });
});

test("arguments that are too long for this machine are the task's own fault", async () => {
  const on = await stage();
  const end = await on.exec(["true", "é".repeat(65_536)]).ended;
  expect(end).toMatchObject({ outcome: "failed", error: { code: "spawn" } });
  expect(end.error?.message).toContain("too long for this machine");
  await on.close();
});

test("a command does not get the worker's raised limit of open files", async () => {
  const on = await stage();
  const command = on.exec(["ulimit -S -n; ulimit -H -n"], { shell: true });
  await command.ended;
  const [soft, hard] = command.text().trim().split("\n");
  expect(Number(soft)).toBe(defaults.taskDescriptors);
  expect(hard === "unlimited" || Number(hard) >= Number(soft)).toBe(true);
  await on.close();
});
