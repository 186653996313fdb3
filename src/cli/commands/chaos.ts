/** `outlast chaos`: its options; the run itself stands in `proof/chaos/`. */

import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { defaults, limits } from "../../model/limits.ts";
import { masterList, positiveDuration, wholeNumber } from "../arguments.ts";
import { action } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { exitCodes } from "../exitCodes.ts";
import { UsageError } from "../failure.ts";
import { type MasterCountFlags, masterCount, masterCountOptions } from "../serverOptions.ts";

interface Flags extends MasterCountFlags {
  readonly duration: number;
  readonly seed?: number;
  readonly workers: number;
  readonly rate: number;
  readonly faults?: string;
  readonly killsOnly?: boolean;
  readonly mastersAt?: readonly string[];
  readonly dir: string;
}

const seedMax = 2 ** 32 - 1;
const capacity = 4;
const clients = 3;

export function chaosCommand(program: Command): void {
  const chaos = program
    .command("chaos")
    .addOption(
      new Option("--duration <duration>", "how long faults are injected")
        .default(defaults.chaosDurationMs, formatDuration(defaults.chaosDurationMs))
        .argParser(positiveDuration),
    )
    .option("--workers <count>", "how many workers", wholeNumber(2, limits.demoWorkersMax), defaults.chaosWorkers)
    .option("--rate <count>", "tasks submitted per second", wholeNumber(1, limits.chaosRateMax), defaults.chaosRate)
    .option(
      "--seed <number>",
      "replays the tasks and faults of an earlier run (default: random)",
      wholeNumber(0, seedMax),
    )
    .option("--faults <list>", "faults to inject, such as kill,pause, or with weights, such as kill=5,pause=1")
    .option("--kills-only", "only SIGKILL to leaders and workers, as fast as the cluster recovers")
    .option(
      "--masters-at <urls>",
      "test these running masters from the outside: start nothing, inject nothing, check what clients see",
      masterList,
    )
    .option("--dir <folder>", "directory for the logs, the ledger and the report", "chaos-run")
    .action(
      action(async (context, flags: Flags) => {
        const masters = masterCount(context, flags);
        const seed = flags.seed ?? Math.floor(Math.random() * seedMax);
        const { runChaos } = await import("../../proof/chaos/chaos.ts");
        const weights = await parseFaults(flags.faults);
        const isClean = await runChaos({
          seed,
          durationMs: flags.duration,
          mastersAt: flags.mastersAt ?? null,
          token: context.token,
          masters,
          workers: flags.workers,
          capacity,
          clients,
          rate: flags.rate,
          weights,
          isKillsOnly: flags.killsOnly === true,
          directory: resolve(flags.dir),
          repeat: repeatText(flags, seed, masters),
          output: context.output,
          signal: context.signal,
        });
        return isClean ? exitCodes.ok : exitCodes.failed;
      }),
    );
  for (const option of masterCountOptions("how many masters", limits.chaosMastersMax, defaults.chaosMasters))
    chaos.addOption(option);
}

async function parseFaults(text: string | undefined) {
  const { defaultWeights, parseWeights } = await import("../../proof/chaos/faults.ts");
  if (text === undefined) return defaultWeights;
  try {
    return parseWeights(text);
  } catch (error) {
    throw new UsageError(`--faults: ${error instanceof Error ? error.message : String(error)}`, null);
  }
}

function repeatText(flags: Flags, seed: number, masters: number): string {
  const faults = flags.faults === undefined ? [] : [`--faults ${flags.faults}`];
  return [
    `outlast chaos --seed ${seed} --duration ${formatDuration(flags.duration)}`,
    `--master-count ${masters} --workers ${flags.workers} --rate ${flags.rate}`,
    ...faults,
    ...(flags.mastersAt === undefined ? [] : [`--masters-at ${flags.mastersAt.join(",")}`]),
    ...(flags.killsOnly === true ? ["--kills-only"] : []),
  ].join(" ");
}
