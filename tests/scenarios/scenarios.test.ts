/** Every scenario file must say what the Scheduler really does. `npx vitest run tests/scenarios --update` rewrites them: review the diff. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runScenario } from "./scenario.ts";

const folder = import.meta.dirname;

for (const file of readdirSync(folder).filter((name) => name.endsWith(".txt"))) {
  test(`scenario: ${file.replace(".txt", "").replaceAll("-", " ")}`, async () => {
    const path = join(folder, file);
    await expect(runScenario(readFileSync(path, "utf8"))).toMatchFileSnapshot(path);
  });
}
