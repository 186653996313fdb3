/** A small storm, as users run it: it keeps every promise and leaves its report, and nothing that runs. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processesWith } from "./processes.ts";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "outlast-chaos-"));
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

function chaos(...given: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [program, "chaos", ...given, "--json", "--dir", join(place, "run")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text }));
  });
}

test("a storm of a few seconds", async () => {
  const { code, text } = await chaos("--masters", "2", "--workers", "3", "--duration", "8s", "--seed", "4");
  const report = JSON.parse(text) as {
    isClean: boolean;
    checks: { promise: string; problems: string[] }[];
    figures: { attempts: number };
  };
  expect(report.checks.flatMap((check) => check.problems)).toEqual([]);
  expect(report.isClean).toBe(true);
  expect(code).toBe(0);
  expect(report.figures.attempts).toBeGreaterThan(20);
  expect(processesWith(place)).toEqual([]);

  const page = readFileSync(join(place, "run", "report.html"), "utf8");
  expect(page).toContain("Every promise was kept");
  // It is one file: nothing in it is fetched from elsewhere.
  expect(page).not.toMatch(/<link|\ssrc=|@import|url\(|fetch\(/);
});
