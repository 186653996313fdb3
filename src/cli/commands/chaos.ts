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
import { isMongodb } from "../storeAddress.ts";

interface Flags extends MasterCountFlags {
  readonly duration: number;
  readonly seed?: number;
  readonly workers: number;
  readonly rate: number;
  readonly faults?: string;
  readonly killsOnly?: boolean;
  readonly mastersAt?: readonly string[];
  readonly store?: string;
  readonly storeServer?: string;
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
    .option(
      "--store <store>",
      "a MongoDB database for the masters, mongodb://HOST:PORT/DATABASE, instead of a file of the run's own; it must be empty",
    )
    .option(
      "--store-server <command>",
      "the command that serves it: started by the run, killed and started again among the faults",
    )
    .option("--dir <folder>", "directory for the logs, the ledger and the report", "chaos-run")
    .action(
      action(async (context, flags: Flags) => {
        const masters = masterCount(context, flags);
        const seed = flags.seed ?? Math.floor(Math.random() * seedMax);
        const { runChaos } = await import("../../proof/chaos/chaos.ts");
        const store = toStore(flags);
        const weights = fit(await parseFaults(flags.faults), store);
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
          store,
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

function toStore({ store, storeServer }: Flags): { address: string; server: string | null } | null {
  if (store === undefined) {
    if (storeServer !== undefined)
      throw new UsageError("--store-server needs --store, the address at which it serves.");
    return null;
  }
  if (!isMongodb(store))
    throw new UsageError("--store takes a MongoDB address; without it the run makes a file of its own.");
  return { address: store, server: storeServer ?? null };
}

/** Without what a run cannot do with this store: a server's disk is not its own, and a master without a network has no server. */
function fit<Weights extends object>(weights: Weights, store: { readonly server: string | null } | null): Weights {
  if (store === null) return { ...weights, server: 0 };
  return { ...weights, disk: 0, unplug: 0, ...(store.server === null ? { server: 0 } : {}) };
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
    ...(flags.store === undefined ? [] : ["--store mongodb://…"]),
    ...(flags.storeServer === undefined ? [] : [`--store-server '${flags.storeServer}'`]),
    ...(flags.killsOnly === true ? ["--kills-only"] : []),
  ].join(" ");
}
