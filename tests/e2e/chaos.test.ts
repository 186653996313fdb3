/** A short chaos run, as users run it: it keeps every promise, leaves its report, and leaves no process behind. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { processesWith } from "./processes.ts";
import { ShowRun } from "./showRun.ts";

test("a run of a few seconds keeps every promise", async () => {
  using show = new ShowRun();
  const given = ["--master-count", "2", "--workers", "3", "--duration", "8s", "--seed", "4", "--json"];
  const { code, text } = await show.start("chaos", ...given).ended;
  const report = JSON.parse(text) as {
    isClean: boolean;
    checks: { promise: string; problems: string[] }[];
    figures: { attempts: number };
  };
  expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
  expect(report.isClean).toBe(true);
  expect(code).toBe(0);
  expect(report.figures.attempts).toBeGreaterThan(20);
  expect(processesWith(show.directory)).toEqual([]);

  const page = readFileSync(join(show.directory, "report.html"), "utf8");
  expect(page).toContain("Every promise was kept");
  // It is one file: nothing in it is fetched from elsewhere.
  expect(page).not.toMatch(/<link|\ssrc=|@import|url\(|fetch\(/);
});
