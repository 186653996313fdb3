/**
 * Runs the simulator: `npm run sim -- --seeds 500 --from 1` over many seeds, `--from 42 --trace` one seed in detail,
 * `--shrink 42 --keep NAME` makes a failing seed small and keeps it, `--regressions` runs those that were kept.
 */
import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Changes } from "../src/proof/simulation/changes.ts";
import { describeKnobs, drawKnobs, type Feature, features } from "../src/proof/simulation/knobs.ts";
import { shrink } from "../src/proof/simulation/shrink.ts";
import { simulate } from "../src/proof/simulation/simulate.ts";
import { tellStory } from "../src/proof/simulation/story.ts";
import { count, ordinal } from "./flags.ts";
import { runPool } from "./simulation/pool.ts";
import { keep, runRegressions } from "./simulation/regressions.ts";
import { Tally } from "./simulation/tally.ts";

/** Smaller worlds that are tried for one failing seed. */
const shrinkRunsMax = 400;

interface SimFlags {
  readonly seeds: number;
  readonly from: number;
  readonly trace: boolean;
  readonly changes: Changes;
  readonly processes: number;
  readonly stopAtFirst: boolean;
  readonly once: boolean;
  readonly having: readonly Feature[];
  readonly shrink?: number;
  readonly keep?: string;
  readonly regressions: boolean;
}

const flags = new Command("npm run sim --")
  .description("Runs the whole cluster in simulated time, one world for each seed, and checks what it did.")
  .option("--seeds <n>", "how many seeds", count, 500)
  .option("--from <seed>", "the first of them", ordinal, 1)
  .option("--trace", "one seed alone, every line of it", false)
  .option(
    "--changes <json>",
    "with --trace: what to take away from the seed's world, as a shrunk seed says it",
    json,
    {},
  )
  .option("--processes <n>", "how many seeds at a time", count, availableParallelism())
  .option("--stop-at-first", "ends at the first seed that fails", false)
  .option("--once", "leaves out the second run of each seed, which only proves determinism", false)
  .addOption(
    new Option("--having <features...>", "leaves out seeds whose world lacks one of these")
      .choices(features)
      .default([]),
  )
  .option("--shrink <seed>", "makes a failing seed small", ordinal)
  .option("--keep <name>", "with --shrink: keeps what is left as a regression of this name")
  .option("--regressions", "runs those that were kept", false)
  .parse()
  .opts<SimFlags>();

function json(text: string): Changes {
  try {
    return JSON.parse(text) as Changes;
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

async function runAll(from: number, seeds: number): Promise<boolean> {
  const tally = new Tally(flags.once);
  const isWanted = (seed: number) => {
    const knobs = drawKnobs(seed);
    return flags.having.every((feature) => Boolean(knobs[feature]));
  };
  let next = from;
  let left = seeds;
  await runPool({
    processes: Math.min(seeds, flags.processes),
    isOnce: flags.once,
    next: () => {
      const isStopped = flags.stopAtFirst && tally.failures.length > 0;
      if (left === 0 || isStopped) return null;
      left -= 1;
      while (!isWanted(next)) next += 1;
      return next++;
    },
    onReport: (report) => tally.add(report),
  });
  tally.print();
  return tally.isGood;
}

/** One seed: what it has drawn, every line of its trace, and its end. */
async function traceOne(seed: number, changes: Changes): Promise<boolean> {
  const lines: string[] = [];
  const listener = (at: number, line: string): void => {
    lines.push(`${(at / 1000).toFixed(3).padStart(10)}  ${line}`);
  };
  const result = await simulate(seed, { listener, changes });
  console.log(`seed ${seed}: ${describeKnobs(result.knobs)}`);
  console.log(lines.join("\n"));
  for (const { invariant, message } of result.violations) console.log(`${invariant}: ${message}`);
  console.log(`trace hash ${result.traceHash}; ${result.violations.length} violations`);
  return result.violations.length === 0;
}

async function shrinkOne(seed: number): Promise<boolean> {
  const shrunk = await shrink(seed, shrinkRunsMax, (changes) =>
    console.log(`still fails with ${JSON.stringify(changes)}`),
  );
  if (shrunk === null) {
    console.log(`seed ${seed} does not fail`);
    return true;
  }
  const { changes, invariant } = shrunk;
  const result = await simulate(seed, { changes });
  console.log(await tellStory(result, result.violations, changes));
  console.log(`shrunk: npm run sim -- --from ${seed} --trace --changes '${JSON.stringify(changes)}'`);
  const title = result.violations[0]?.message ?? "";
  if (flags.keep !== undefined) console.log(`kept as ${keep(flags.keep, { title, seed, changes, invariant })}`);
  return false;
}

async function run(): Promise<boolean> {
  if (flags.regressions) return runRegressions();
  if (flags.shrink !== undefined) return shrinkOne(flags.shrink);
  if (flags.trace) return traceOne(flags.from, flags.changes);
  return runAll(flags.from, flags.seeds);
}

process.exitCode = (await run()) ? 0 : 1;
