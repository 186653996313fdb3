/** Plants bugs one at a time in a scratch copy, and asks whether tests see them. */
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";
import { makeScratch, plant } from "./scratch.ts";

const root = join(import.meta.dirname, "..", "..");

export interface Tests {
  /** What Node is to run, by what it is called; an exit code other than 0 means that it has seen the bug. */
  readonly seers: { readonly [name: string]: readonly string[] };
  /** Files and folders besides the sources that these need. */
  readonly needs: readonly string[];
}

export interface Hunt extends Tests {
  readonly mutants: readonly Mutant[];
}

/** Prints a line for each bug. @returns true if all of them were seen. @throws Error if something fails without a bug */
export async function huntByTests(hunt: Hunt): Promise<boolean> {
  await requireGreen(hunt);
  let missed = 0;
  for (const mutant of hunt.mutants) {
    const sight = await look(hunt, mutant);
    if (sight === null) missed += 1;
    console.log(`| ${mutant.name} | ${sight?.by ?? "MISSED"} |`);
  }
  console.log(`${hunt.mutants.length - missed} of ${hunt.mutants.length} planted bugs were seen`);
  return missed === 0;
}

/** Whatever fails without a bug would seem to see all of them. @throws Error if something does */
export async function requireGreen(tests: Tests): Promise<void> {
  const failing = await look(tests, null);
  if (failing !== null) throw new Error(`${failing.by} fail without a planted bug:\n${failing.text.slice(-3000)}`);
}

interface Sight {
  readonly by: string;
  readonly text: string;
}

/** Who saw it, and what was printed; null if nobody did. */
export async function look({ seers, needs }: Tests, mutant: Mutant | null): Promise<Sight | null> {
  const scratch = makeScratch();
  try {
    for (const name of [...needs, "vitest.config.ts", "tsconfig.json"])
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
