/** The demo as users run it: it keeps every promise to the end, and leaves no process behind when it is interrupted. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaults } from "../../src/model/limits.ts";
import { until } from "../../src/proof/cluster/until.ts";
import { processesWith } from "./processes.ts";
import { ShowRun } from "./showRun.ts";

const waitMsMax = 30_000;

let show: ShowRun;
beforeEach(() => {
  show = new ShowRun();
});
afterEach(() => show[Symbol.dispose]());

describe("a run to the end", () => {
  test("the demo keeps every promise and leaves its folder", async () => {
    const { code, text } = await show.start("demo", "--tasks", "40", "--seed", "1", "--json").ended;
    const report = JSON.parse(text) as { isClean: boolean; checks: { cases: number; problems: string[] }[] };
    expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
    expect(report.checks.filter((check) => check.cases === 0)).toEqual([]);
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
    expect(readdirSync(show.directory)).toEqual(expect.arrayContaining(names));
    const tasks = readFileSync(join(show.directory, "tasks.txt"), "utf8").trimEnd().split("\n");
    expect(tasks).toHaveLength(41);
    expect(new Set(tasks.map((line) => (JSON.parse(line) as { state: string }).state))).toEqual(new Set(["success"]));
  });

  test("with two masters, a standby takes over before the lease of the dead leader runs out", async () => {
    const { code, text } = await show.start("demo", "--master-count", "2", "--tasks", "50", "--seed", "1", "--json")
      .ended;
    const report = JSON.parse(text) as {
      checks: { cases: number; problems: string[] }[];
      leaderDeaths: { nextAfterMs: number; assignedAfterMs: number }[];
    };
    expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
    expect(report.checks.filter((check) => check.cases === 0)).toEqual([]);
    expect(code).toBe(0);
    expect(report.leaderDeaths).toHaveLength(1);
    expect(report.leaderDeaths[0]?.nextAfterMs).toBeLessThan(defaults.leaseTtlMs);
  });
});

test("the schedule act makes one task for each tick while leaders are shot", async () => {
  const { code, text } = await show.start("demo", "--act", "schedule", "--tasks", "15", "--seed", "3", "--json").ended;
  const report = JSON.parse(text) as { isClean: boolean; checks: { id: string; cases: number; problems: string[] }[] };
  expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
  expect(report.checks.find(({ id }) => id === "ticks-once")?.cases).toBe(15);
  expect(report.checks.find(({ id }) => id === "leaders-shot")?.cases).toBeGreaterThan(0);
  expect(code).toBe(0);
});

test("the family act resumes a master task with its children while leader and workers are killed", async () => {
  const given = ["--act", "family", "--tasks", "60", "--max-sleep", "600ms", "--json"];
  const { code, text } = await show.start("demo", ...given).ended;
  const report = JSON.parse(text) as { isClean: boolean; checks: { id: string; cases: number; problems: string[] }[] };
  expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
  expect(report.checks.filter(({ cases }) => cases === 0)).toEqual([]);
  expect(report.checks.find(({ id }) => id === "children-once")?.cases).toBe(60);
  expect(report.isClean).toBe(true);
  expect(code).toBe(0);
  expect(readdirSync(show.directory)).toEqual(expect.arrayContaining(["combined.log", "report.md", "tasks.txt"]));
});

describe.skipIf(process.platform !== "linux")("a run that is broken off", () => {
  /** The folder stands on the command line of every process of the run. */
  const workersOfRun = () => processesWith(show.directory).filter((pid) => processesWith("worker --").includes(pid));

  test("by Ctrl-C leaves no process behind", async () => {
    const { child, ended } = show.start("demo", "--seed", "1");
    await until("the workers to be there", waitMsMax, () => workersOfRun().length >= 3);
    child.kill("SIGINT");
    const { code, text } = await ended;
    expect(code).toBe(130);
    expect(text).toContain("Interrupted: ending every process of this run");
    expect(processesWith(show.directory)).toEqual([]);
  });

  test("by SIGKILL leaves no process behind", async () => {
    const { child, ended } = show.start("demo", "--seed", "1");
    await until("the workers to be there", waitMsMax, () => workersOfRun().length >= 3);
    child.kill("SIGKILL");
    await ended;
    await until("its processes to be gone", waitMsMax, () => processesWith(show.directory).length === 0);
  });
});
