/**
 * Runs the simulator: `npm run sim -- --seeds 500 --from 1` over many seeds, `--from 42 --trace` one seed in detail,
 * `--shrink 42 --keep NAME` makes a failing seed small and keeps it, `--regressions` runs those that were kept.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Changes } from "../src/testing/simulation/changes.ts";
import { describeKnobs } from "../src/testing/simulation/knobs.ts";
import { shrink } from "../src/testing/simulation/shrink.ts";
import { simulate } from "../src/testing/simulation/simulate.ts";
import { tellStory } from "../src/testing/simulation/story.ts";
import { runPool } from "./simulation/pool.ts";
import { keep, runRegressions } from "./simulation/regressions.ts";
import { Tally } from "./simulation/tally.ts";

/** Smaller worlds that are tried for one failing seed. */
const shrinkRunsMax = 400;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "500" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    /** JSON: what to take away from the seed's world, as a shrunk seed says it. */
    changes: { type: "string", default: "{}" },
    processes: { type: "string", default: String(availableParallelism()) },
    /** Ends at the first seed that fails. */
    "stop-at-first": { type: "boolean", default: false },
    /** Leaves out the second run of each seed, which only proves determinism. */
    once: { type: "boolean", default: false },
    shrink: { type: "string" },
    /** With `--shrink`: the name to keep the shrunk seed by. */
    keep: { type: "string" },
    regressions: { type: "boolean", default: false },
  },
});

async function runAll(from: number, count: number): Promise<boolean> {
  const tally = new Tally(flags.once);
  let next = from;
  await runPool({
    processes: Math.min(count, Number(flags.processes)),
    isOnce: flags.once,
    next: () => {
      const isStopped = flags["stop-at-first"] && tally.failures.length > 0;
      return next < from + count && !isStopped ? next++ : null;
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
  if (flags.shrink !== undefined) return shrinkOne(Number(flags.shrink));
  if (flags.trace) return traceOne(Number(flags.from), JSON.parse(flags.changes) as Changes);
  return runAll(Number(flags.from), Number(flags.seeds));
}

process.exitCode = (await run()) ? 0 : 1;
