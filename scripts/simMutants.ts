/** Breaks the source on purpose, one bug at a time in a scratch copy, and asks the simulator whether it sees that: `npm run sim:mutants`. */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { count, minutes, ordinal } from "./flags.ts";
import { simulatedMutants } from "./mutants/all.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { makeScratch, plant } from "./mutants/scratch.ts";

interface MutantFlags {
  readonly seeds: number;
  readonly from: number;
  readonly only: readonly string[];
  readonly processes: number;
  readonly minutesMax: number;
  readonly markdown: boolean;
}

const flags = new Command("npm run sim:mutants --")
  .description("Plants one bug at a time in a copy of the source, and asks the simulator whether it sees it.")
  .option("--seeds <n>", "how many seeds a bug may hide in before it counts as missed", count, 2000)
  .option("--from <seed>", "the first of them", ordinal, 1)
  .option("--only <texts...>", "only bugs whose name holds one of these texts", [""])
  .option("--processes <n>", "how many bugs at a time", count, availableParallelism())
  .option("--minutes-max <n>", "how long one bug may hide", minutes, 15)
  .option("--markdown", "prints the table as docs/simulation.md holds it", false)
  .parse()
  .opts<MutantFlags>();

interface Verdict {
  readonly mutant: Mutant;
  /** What the first failing seed violated; null if none failed. */
  readonly invariants: string | null;
  /** Seeds that ran; null if its time was over before all had. */
  readonly seeds: number | null;
}

async function hunt(mutant: Mutant): Promise<Verdict> {
  const scratch = makeScratch();
  try {
    plant(scratch, mutant);
    const script = join(scratch, "scripts", "sim.ts");
    const flagsOfRun = [
      "--seeds",
      `${flags.seeds}`,
      "--from",
      `${flags.from}`,
      "--processes",
      "1",
      "--once",
      "--stop-at-first",
    ];
    // A process group of its own, so that all of it can be ended.
    const child = spawn(process.execPath, [script, ...flagsOfRun], { detached: true });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.stderr.on("data", (chunk) => (text += chunk));
    const alarm = setTimeout(
      () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"),
      flags.minutesMax * 60_000,
    );
    const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
    clearTimeout(alarm);
    if (child.signalCode !== null) return { mutant, invariants: null, seeds: null };
    const seeds = Number(/^(\d+) seeds in/m.exec(text)?.[1] ?? Number.NaN);
    if (Number.isNaN(seeds)) throw new Error(`"${mutant.name}" could not be run:\n${text.slice(-2000)}`);
    const caught = /^ {2}seed \d+: (.*)$/m.exec(text)?.[1] ?? null;
    if (caught === null && code !== 0 && !text.includes("INVALID"))
      throw new Error(`"${mutant.name}" ended with ${code}:\n${text.slice(-2000)}`);
    return { mutant, invariants: caught, seeds };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function huntAll(chosen: readonly Mutant[]): Promise<Verdict[]> {
  const left = [...chosen];
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const verdict = await hunt(mutant);
      verdicts.push(verdict);
      print(verdict);
    }
  };
  await Promise.all(Array.from({ length: flags.processes }, work));
  return verdicts;
}

function print({ mutant, invariants, seeds }: Verdict): void {
  const found = invariants ?? "MISSED";
  const needed = seeds === null ? `${flags.minutesMax} minutes` : `${seeds} seeds`;
  if (flags.markdown) console.log(`| ${mutant.name} | ${found.replaceAll("none", "a crash")} | ${seeds ?? needed} |`);
  else
    console.log(`${mutant.name.padEnd(90)} ${found.replaceAll("none", "a crash").padEnd(24)} ${needed.padStart(11)}`);
}

const chosen = simulatedMutants.filter(({ name }) => flags.only.some((text) => name.includes(text)));
if (flags.markdown) console.log("| planted bug | seen as | seeds needed |\n|---|---|---|");
const verdicts = await huntAll(chosen);
const missed = verdicts.filter(({ invariants }) => invariants === null);
console.log(`\n${verdicts.length - missed.length} of ${verdicts.length} planted bugs were caught`);
process.exitCode = missed.length === 0 ? 0 : 1;
