/** Breaks the checks of rights on purpose, one bug at a time in a scratch copy, and asks whether anything sees it: `npm run access:mutants`. */
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { accessMutants } from "./mutants/accessMutants.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { makeScratch, plant } from "./mutants/scratch.ts";

const root = join(import.meta.dirname, "..");
const seers = {
  "docs/access.md": ["scripts/accessDocument.ts"],
  "the tests of every route with every role": [
    ...["node_modules/vitest/vitest.mjs", "run", "--project", "integration", "--bail", "1"],
    "tests/integration/api/access.test.ts",
  ],
};

interface Sight {
  readonly by: string;
  readonly text: string;
}

/** Who saw it, and what was printed; null if nobody did. */
async function hunt(mutant: Mutant | null): Promise<Sight | null> {
  const scratch = makeScratch();
  try {
    for (const name of ["tests", "docs", "vitest.config.ts", "tsconfig.json"])
      cpSync(join(root, name), join(scratch, name), { recursive: true });
    if (mutant !== null) plant(scratch, mutant);
    for (const [name, command] of Object.entries(seers)) {
      const child = spawn(process.execPath, command, { cwd: scratch });
      let text = "";
      child.stdout.on("data", (chunk) => (text += chunk));
      child.stderr.on("data", (chunk) => (text += chunk));
      const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
      if (code !== 0) return { by: name, text };
    }
    return null;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

// Whatever fails without a bug would seem to see all of them.
const failing = await hunt(null);
if (failing !== null) throw new Error(`${failing.by} fail without a planted bug:\n${failing.text.slice(-3000)}`);
let missed = 0;
for (const mutant of accessMutants) {
  const sight = await hunt(mutant);
  if (sight === null) missed += 1;
  console.log(`| ${mutant.name} | ${sight?.by ?? "MISSED"} |`);
}
console.log(`${accessMutants.length - missed} of ${accessMutants.length} planted bugs were seen`);
process.exitCode = missed === 0 ? 0 : 1;
