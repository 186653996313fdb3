/**
 * Breaks the source on purpose, one bug at a time in a scratch copy, and asks the simulator whether it sees that: `npm run sim:mutants`. What it
 * does not see in the seeds that it has, the tests of the same code are asked about.
 */
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { count, minutes, ordinal } from "./flags.ts";
import { simulatedMutants } from "./mutants/all.ts";
import { look, requireGreen, type Tests } from "./mutants/huntByTests.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { makeScratch, plant } from "./mutants/scratch.ts";

interface MutantFlags {
  readonly seeds: number;
  readonly from: number;
  readonly only: readonly string[];
  readonly processes: number;
  readonly minutesMax: number;
  readonly results?: string;
  readonly note: boolean;
  readonly markdown: boolean;
}

const flags = new Command("npm run sim:mutants --")
  .description("Plants one bug at a time in a copy of the source, and asks the simulator whether it sees it.")
  .option("--seeds <n>", "how many seeds a bug may hide in before it counts as missed", count, 2000)
  .option("--from <seed>", "the first of them, after the one that caught it last", ordinal, 1)
  .option("--only <texts...>", "only bugs whose name holds one of these texts", [""])
  .option("--processes <n>", "how many bugs at a time", count, availableParallelism())
  .option("--minutes-max <n>", "how long one bug may hide", minutes, 15)
  .option("--results <file>", "keeps each verdict in this file at once, and leaves out bugs that it says were caught")
  .option("--note", "writes down which seeds caught the bugs, to be tried first the next time", false)
  .option("--markdown", "prints the table as docs/simulation.md holds it", false)
  .parse()
  .opts<MutantFlags>();

/** By the names of bugs: the seed that caught each of them last. */
const knownSeedsFile = join(import.meta.dirname, "mutants", "seeds.json");
const knownSeeds = JSON.parse(readFileSync(knownSeedsFile, "utf8")) as { [name: string]: number };

interface Verdict {
  readonly name: string;
  /** What the first failing seed violated, or which tests failed; null if nothing did. */
  readonly invariants: string | null;
  /** The first seed that failed; null if none did. */
  readonly seed: number | null;
  /** Seeds that ran; null if its time was over before all had. */
  readonly seeds: number | null;
}

async function hunt(mutant: Mutant): Promise<Verdict> {
  const scratch = makeScratch();
  try {
    plant(scratch, mutant);
    // The table counts from the first seed.
    const known = flags.markdown ? undefined : knownSeeds[mutant.name];
    if (known !== undefined) {
      const verdict = await simulate(scratch, mutant, known, 1);
      if (verdict.invariants !== null) return verdict;
    }
    const verdict = await simulate(scratch, mutant, flags.from, flags.seeds);
    return verdict.invariants === null ? { ...verdict, invariants: await askTests(mutant) } : verdict;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const testsOf = (project: string) => [
  join("node_modules", "vitest", "vitest.mjs"),
  ...["run", "--project", project, "--bail", "1"],
];

const tests: Tests = {
  seers: {
    scenarios: testsOf("scenarios"),
    "unit tests": testsOf("unit"),
  },
  // Some tests of the sources hold the documents against them.
  needs: ["tests", "docs"],
};
let areGreen: Promise<void> | null = null;

/** @returns which of them see it; null if none does */
async function askTests(mutant: Mutant): Promise<string | null> {
  areGreen ??= requireGreen(tests);
  await areGreen;
  // Those in the same folder mostly see it, and take seconds where all take minutes.
  const folders = mutant.patches.map(({ file }) => dirname(file));
  const nearest = { ...tests, seers: { "unit tests": [...testsOf("unit"), "--passWithNoTests", ...folders] } };
  const sight = (await look(nearest, mutant)) ?? (await look(tests, mutant));
  return sight?.by ?? null;
}

/** Runs these seeds on the broken source, until one fails. */
async function simulate(
  scratch: string,
  { name, having = [] }: Mutant,
  from: number,
  seedsMax: number,
): Promise<Verdict> {
  const script = join(scratch, "scripts", "sim.ts");
  const only = having.length === 0 ? [] : ["--having", ...having];
  const range = ["--seeds", `${seedsMax}`, "--from", `${from}`, ...only];
  // A process group of its own, so that all of it can be ended.
  const child = spawn(process.execPath, [script, ...range, "--processes", "1", "--once", "--stop-at-first"], {
    detached: true,
  });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  child.stderr.on("data", (chunk) => (text += chunk));
  const alarm = setTimeout(
    () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL"),
    flags.minutesMax * 60_000,
  );
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  clearTimeout(alarm);
  if (child.signalCode !== null) return { name, invariants: null, seed: null, seeds: null };
  const seeds = Number(/^(\d+) seeds in/m.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(seeds)) throw new Error(`"${name}" could not be run:\n${text.slice(-2000)}`);
  const caught = /^ {2}seed (\d+): (.*)$/m.exec(text);
  if (caught === null && code !== 0 && !text.includes("INVALID"))
    throw new Error(`"${name}" ended with ${code}:\n${text.slice(-2000)}`);
  return { name, invariants: caught?.[2] ?? null, seed: caught === null ? null : Number(caught[1]), seeds };
}

/** A bug that ends the simulator itself is not seen by it; the hunt for the others goes on. */
async function huntOrTell(mutant: Mutant): Promise<Verdict> {
  try {
    return await hunt(mutant);
  } catch (error) {
    console.error(error);
    return { name: mutant.name, invariants: null, seed: null, seeds: null };
  }
}

async function huntAll(chosen: readonly Mutant[]): Promise<Verdict[]> {
  const left = [...chosen];
  const verdicts: Verdict[] = [];
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const verdict = await huntOrTell(mutant);
      verdicts.push(verdict);
      print(verdict);
      if (flags.results !== undefined) appendFileSync(flags.results, `${JSON.stringify(verdict)}\n`);
      if (flags.note) noteSeeds([...before, ...verdicts]);
    }
  };
  await Promise.all(Array.from({ length: flags.processes }, work));
  return verdicts;
}

/** What an earlier run has found, as far as it caught the bug; a bug that was missed is hunted again. */
function readResults(): Verdict[] {
  if (flags.results === undefined || !existsSync(flags.results)) return [];
  const lines = readFileSync(flags.results, "utf8").split("\n");
  const verdicts = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Verdict);
  return verdicts.filter(({ invariants }) => invariants !== null);
}

function print({ name, invariants, seeds }: Verdict): void {
  const found = invariants ?? "MISSED";
  const needed = seeds === null ? `${flags.minutesMax} minutes` : `${seeds} seeds`;
  if (flags.markdown) console.log(`| ${name} | ${found.replaceAll("none", "a crash")} | ${seeds ?? needed} |`);
  else console.log(`${name.padEnd(90)} ${found.replaceAll("none", "a crash").padEnd(24)} ${needed.padStart(11)}`);
}

function noteSeeds(verdicts: readonly Verdict[]): void {
  const names = new Set(simulatedMutants.map(({ name }) => name));
  const noted = new Map(Object.entries(knownSeeds).filter(([name]) => names.has(name)));
  for (const { name, seed } of verdicts) if (seed !== null) noted.set(name, seed);
  const sorted = [...noted].sort(([one], [other]) => (one < other ? -1 : 1));
  writeFileSync(knownSeedsFile, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
}

const startedAt = performance.now();
const chosen = simulatedMutants.filter(({ name }) => flags.only.some((text) => name.includes(text)));
const chosenNames = new Set(chosen.map(({ name }) => name));
const before = readResults().filter(({ name }) => chosenNames.has(name));
const caughtBefore = new Set(before.map(({ name }) => name));
if (flags.markdown) console.log("| planted bug | seen as | seeds needed |\n|---|---|---|");
for (const verdict of before) print(verdict);
const verdicts = [...before, ...(await huntAll(chosen.filter(({ name }) => !caughtBefore.has(name))))];
const missed = verdicts.filter(({ invariants }) => invariants === null);
const tookMinutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(
  `\n${verdicts.length - missed.length} of ${verdicts.length} planted bugs were caught, in ${tookMinutes} minutes`,
);
for (const { name } of missed) console.log(`missed: ${name}`);
process.exitCode = missed.length === 0 ? 0 : 1;
