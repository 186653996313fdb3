/** The demo and the stress test as users run them: clean to the end, and gone without a trace when they are broken off. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import { until } from "../../src/proof/cluster/until.ts";
import { processesWith } from "./processes.ts";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));
const waitMsMax = 30_000;

let place: string;
let directory: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "outlast-run-"));
  directory = join(place, "run");
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

function outlast(...given: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; text: string }> } {
  const child = spawn(process.execPath, [program, ...given, "--dir", directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  const ended = new Promise<{ code: number | null; text: string }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text }));
  });
  return { child, ended };
}

describe("a run to the end", () => {
  test("the demo keeps every promise and leaves its folder", async () => {
    const { code, text } = await outlast("demo", "--tasks", "40", "--seed", "1", "--json").ended;
    const report = JSON.parse(text) as { isClean: boolean; checks: { holds: boolean; problems: string[] }[] };
    expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
    expect(report.isClean).toBe(true);
    expect(code).toBe(0);

    const names = [
      "combined.log",
      "demo.log",
      "master.log",
      "report.md",
      "tasks.txt",
      "worker-1.log",
      "worker-2.log",
      "worker-3.log",
    ];
    expect(readdirSync(directory)).toEqual(expect.arrayContaining(names));
    const tasks = readFileSync(join(directory, "tasks.txt"), "utf8").trimEnd().split("\n");
    expect(tasks).toHaveLength(40);
    expect(tasks.map((line) => JSON.parse(line).state)).toEqual(Array.from({ length: 40 }, () => "success"));
  });

  test("with two masters, a standby takes over before the lease of the dead leader runs out", async () => {
    const { code, text } = await outlast("demo", "--masters", "2", "--tasks", "50", "--seed", "1", "--json").ended;
    const report = JSON.parse(text) as {
      checks: { problems: string[] }[];
      leaderDeaths: { nextAfterMs: number; assignedAfterMs: number }[];
    };
    expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
    expect(code).toBe(0);
    expect(report.leaderDeaths).toHaveLength(1);
    expect(report.leaderDeaths[0]?.nextAfterMs).toBeLessThan(defaults.leaseTtlMs);
  });

  test("the stress test too", async () => {
    const { code, text } = await outlast("stress", "--tasks", "40", "--max-sleep", "1s", "--seed", "1", "--json").ended;
    const report = JSON.parse(text) as { checks: { problems: string[] }[] };
    expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
    expect(code).toBe(0);
  });
});

describe.skipIf(process.platform !== "linux")("a run that is broken off", () => {
  /** The folder stands on the command line of every process of the run. */
  const workersOfRun = () => processesWith(directory).filter((pid) => processesWith("worker --").includes(pid));

  test("by Ctrl-C leaves no process behind", async () => {
    const { child, ended } = outlast("demo", "--seed", "1");
    await until("the workers to be there", waitMsMax, () => workersOfRun().length >= 3);
    child.kill("SIGINT");
    const { code, text } = await ended;
    expect(code).toBe(130);
    expect(text).toContain("Interrupted: ending every process of this run");
    expect(processesWith(directory)).toEqual([]);
  });

  test("by SIGKILL leaves no process behind", async () => {
    const { child, ended } = outlast("demo", "--seed", "1");
    await until("the workers to be there", waitMsMax, () => workersOfRun().length >= 3);
    child.kill("SIGKILL");
    await ended;
    await until("its processes to be gone", waitMsMax, () => processesWith(directory).length === 0);
  });
});
