/** Runs seeds for as long as it is told, `npm run sim:soak -- --minutes 60`, and stops at the first that fails. */
import { availableParallelism } from "node:os";
import { Command } from "commander";
import { count, minutes, ordinal } from "./flags.ts";
import { runPool } from "./simulation/pool.ts";
import { Tally } from "./simulation/tally.ts";

interface SoakFlags {
  readonly minutes: number;
  readonly from?: number;
  readonly processes: number;
}

const flags = new Command("npm run sim:soak --")
  .description("Runs seeds for as long as it is told, and stops at the first that fails.")
  .option("--minutes <n>", "how long", minutes, 60)
  .option("--from <seed>", "the first seed; without it, one that no soak before has come to", ordinal)
  .option("--processes <n>", "how many seeds at a time", count, availableParallelism())
  .parse()
  .opts<SoakFlags>();

const minuteMs = 60_000;
/** Seeds that the clock moves on by each second: more than any machine gets through. */
const seedsPerSecond = 100;
const seedsMax = 2 ** 40;

const endsAt = Date.now() + flags.minutes * minuteMs;
let seed = flags.from ?? (Math.floor(Date.now() / 1000) * seedsPerSecond) % seedsMax;
const tally = new Tally(true);
console.log(`from seed ${seed} on, for ${flags.minutes} minutes, in ${flags.processes} processes`);
const lines = setInterval(() => console.log(tally.line()), minuteMs);
await runPool({
  processes: flags.processes,
  isOnce: true,
  next: () => (Date.now() < endsAt && tally.failures.length === 0 ? seed++ : null),
  onReport: (report) => tally.add(report),
});
clearInterval(lines);
tally.print();
for (const { seed: failed } of tally.failures)
  console.log(`make it smaller and keep it: npm run sim -- --shrink ${failed} --keep NAME`);
process.exitCode = tally.isGood ? 0 : 1;
