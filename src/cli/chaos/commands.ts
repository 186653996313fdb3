/** `outlast chaos`: a real cluster under load, hit again and again, and the proof of what it kept. */

import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { defaults, limits } from "../../model/limits.ts";
import { masterList, positiveDuration, wholeNumber } from "../arguments.ts";
import { action } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { exitCodes } from "../exitCodes.ts";
import { defaultWeights, parseWeights, type Weights } from "./blows.ts";

interface Flags {
  readonly duration: number;
  readonly seed?: number;
  readonly masters: number;
  readonly workers: number;
  readonly rate: number;
  readonly blows?: Weights;
  readonly killsOnly?: boolean;
  readonly mastersAt?: readonly string[];
  readonly dir: string;
}

const seedMax = 2 ** 32 - 1;
const capacity = 4;
const clients = 3;

export function chaosCommand(program: Command): void {
  program
    .command("chaos")
    .description(
      "hit masters, workers, links, tasks and the disk of a real cluster under load, and prove that it keeps its promises",
    )
    .addOption(
      new Option("--duration <duration>", "how long blows fall")
        .default(defaults.chaosDurationMs, formatDuration(defaults.chaosDurationMs))
        .argParser(positiveDuration),
    )
    .option("--masters <count>", "how many masters", wholeNumber(1, limits.chaosMastersMax), defaults.chaosMasters)
    .option("--workers <count>", "how many workers", wholeNumber(2, limits.demoWorkersMax), defaults.chaosWorkers)
    .option("--rate <count>", "tasks a second", wholeNumber(1, limits.chaosRateMax), defaults.chaosRate)
    .option("--seed <number>", "draws the tasks and the blows (default: random)", wholeNumber(0, seedMax))
    .option("--blows <list>", "which blows, such as kill,pause, or how often each, such as kill=5,pause=1", weights)
    .option("--kills-only", "nothing but SIGKILL, to leaders and workers, as fast as the cluster recovers")
    .option(
      "--masters-at <urls>",
      "submit to these masters of your own instead and judge what clients see; nothing is started or hit",
      masterList,
    )
    .option("--dir <folder>", "where the logs, the ledger and the report go", "chaos-run")
    .action(
      action(async (context, flags: Flags) => {
        const seed = flags.seed ?? Math.floor(Math.random() * seedMax);
        const { runChaos } = await import("./chaos.ts");
        const isClean = await runChaos({
          seed,
          durationMs: flags.duration,
          mastersAt: flags.mastersAt ?? null,
          token: context.token,
          masters: flags.masters,
          workers: flags.workers,
          capacity,
          clients,
          rate: flags.rate,
          weights: flags.blows ?? defaultWeights,
          isKillsOnly: flags.killsOnly === true,
          directory: resolve(flags.dir),
          repeat: repeatText(flags, seed),
          output: context.output,
          signal: context.signal,
        });
        return isClean ? exitCodes.ok : exitCodes.failed;
      }),
    );
}

function weights(text: string): Weights {
  try {
    return parseWeights(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function repeatText(flags: Flags, seed: number): string {
  const blows = flags.blows === undefined ? [] : [`--blows ${blowsText(flags.blows)}`];
  return [
    `outlast chaos --seed ${seed} --duration ${formatDuration(flags.duration)}`,
    `--masters ${flags.masters} --workers ${flags.workers} --rate ${flags.rate}`,
    ...blows,
    ...(flags.mastersAt === undefined ? [] : [`--masters-at ${flags.mastersAt.join(",")}`]),
    ...(flags.killsOnly === true ? ["--kills-only"] : []),
  ].join(" ");
}

function blowsText(chosen: Weights): string {
  return Object.entries(chosen)
    .flatMap(([kind, weight]) => (weight > 0 ? [`${kind}=${weight}`] : []))
    .join(",");
}
