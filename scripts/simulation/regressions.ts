/** Failing seeds that were made small and kept: what was broken then must hold for ever. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Changes } from "../../src/proof/simulation/changes.ts";
import { simulate } from "../../src/proof/simulation/simulate.ts";

const folder = join(import.meta.dirname, "..", "..", "tests", "simulation", "regressions");

export interface Regression {
  /** What went wrong, in a sentence. */
  readonly title: string;
  readonly seed: number;
  readonly changes: Changes;
  /** The promise that was broken. */
  readonly invariant: string;
}

export function keep(name: string, regression: Regression): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(regression, null, 2)}\n`);
  return path;
}

/** Runs every one that is kept. @returns whether all of them hold */
export async function runRegressions(): Promise<boolean> {
  let isGood = true;
  const names = readdirSync(folder).filter((file) => file.endsWith(".json"));
  for (const file of names) {
    const { title, seed, changes } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Regression;
    const { violations } = await simulate(seed, { changes });
    console.log(`${violations.length === 0 ? "holds " : "BROKEN"}  ${file.replace(".json", "")}: ${title}`);
    for (const { invariant, message } of violations) console.log(`        ${invariant}: ${message}`);
    isGood &&= violations.length === 0;
  }
  console.log(`${names.length} regressions ${isGood ? "hold" : "do not all hold"}`);
  return isGood;
}
