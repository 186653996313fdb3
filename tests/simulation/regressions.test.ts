/** Every seed that once failed and was kept, in a process of its own: while a simulation runs, nothing else can. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("what was once broken holds", () => {
  const script = join(import.meta.dirname, "..", "..", "scripts", "sim.ts");
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, "--regressions"], { encoding: "utf8" });
  expect(stdout + stderr).toMatch(/\d+ regressions hold$/m);
  expect(status).toBe(0);
});
