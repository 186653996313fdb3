/** Breaks the source on purpose, one bug at a time in a scratch copy, and asks the fuzzer whether it sees that: `npm run fuzz:mutants`. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { count, ordinal } from "./flags.ts";
import { apiMutants } from "./mutants/apiMutants.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { makeScratch, plant } from "./mutants/scratch.ts";

interface MutantFlags {
  readonly seed: number;
  readonly cases: number;
  readonly refusals: number;
  readonly only: string;
  readonly markdown: boolean;
}

const flags = new Command("npm run fuzz:mutants --")
  .description("Plants one bug at a time in a copy of the source, and asks the fuzzer whether it sees it.")
  .option("--seed <n>", "of the cases", ordinal, 1)
  .option("--cases <n>", "how many cases a bug may hide in before it counts as missed", count, 1000)
  .option("--refusals <n>", "how many refusals are looked at one by one", ordinal, 300)
  .option("--only <text>", "only bugs whose name holds this text", "")
  .option("--markdown", "prints the table as docs/fuzzing.md holds it", false)
  .parse()
  .opts<MutantFlags>();

interface Verdict {
  /** The rule that it broke first; null if none. */
  readonly rule: string | null;
  readonly cases: number;
}

async function hunt(mutant: Mutant): Promise<Verdict> {
  const scratch = makeScratch();
  try {
    plant(scratch, mutant);
    const script = join(scratch, "scripts", "fuzz.ts");
    const { seed, cases, refusals } = flags;
    const run = ["--seed", `${seed}`, "--cases", `${cases}`, "--refusals", `${refusals}`, "--minutes", "10"];
    const more = ["--sieges", "none", "--stop-at-first", "--token", "--folder", join(scratch, "run")];
    const text = await outputOf([script, ...run, ...more]);
    const count = Number(/^(\d+) cases of seed/m.exec(text)?.[1] ?? Number.NaN);
    if (Number.isNaN(count)) throw new Error(`"${mutant.name}" could not be run:\n${text.slice(-2000)}`);
    return { rule: /^FINDING 1: ([^,]*)/m.exec(text)?.[1] ?? null, cases: count };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function outputOf(commandLine: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(process.execPath, commandLine);
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  child.stderr.on("data", (chunk) => (text += chunk));
  child.once("error", reject);
  child.once("close", () => resolve(text));
  return promise;
}

const chosen = apiMutants.filter(({ name }) => name.includes(flags.only));
let missed = 0;
for (const mutant of chosen) {
  const { rule, cases } = await hunt(mutant);
  if (rule === null) missed += 1;
  const found = rule ?? "MISSED";
  if (flags.markdown) console.log(`| ${mutant.name} | ${found} | ${cases} |`);
  else console.log(`${mutant.name.padEnd(90)} ${found.padEnd(24)} ${String(cases).padStart(5)} cases`);
}
console.log(`${chosen.length - missed} of ${chosen.length} planted bugs were seen`);
process.exitCode = missed === 0 ? 0 : 1;
