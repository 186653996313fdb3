/** A few seeds of the whole simulator, each run twice with equal traces, as `npm run sim` does it, in a process of its own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const script = join(import.meta.dirname, "..", "..", "scripts", "sim.ts");

function runSim(...flags: string[]): { text: string; code: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...flags], { encoding: "utf8" });
  return { text: stdout + stderr, code: status };
}

test("a few seeds find nothing", () => {
  const { text, code } = runSim("--seeds", "40", "--from", "1");
  expect(text).toContain("no violation");
  expect(code).toBe(0);
});

test("a seed's trace is the same in another process", () => {
  const first = runSim("--seeds", "1", "--from", "7", "--trace");
  const second = runSim("--seeds", "1", "--from", "7", "--trace");
  expect(first.text.length).toBeGreaterThan(1000);
  expect(second.text).toBe(first.text);
});
