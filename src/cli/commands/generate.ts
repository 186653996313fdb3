/** `outlast generate`: puts sleep tasks straight into a MongoDB store, without any master. */

import { type Command, Option } from "commander";
import { counted } from "../../model/counted.ts";
import { hashToUnit } from "../../model/hash.ts";
import { limits } from "../../model/limits.ts";
import { wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { parseDuration } from "../duration.ts";
import { UsageError } from "../failure.ts";
import { mongodbUri } from "../openStore.ts";
import { requiredStoreOption } from "../serverOptions.ts";
import { isMongodb } from "../storeAddress.ts";

interface Flags {
  readonly store: string;
  readonly tasks: number;
  readonly maxSleep: number;
  readonly seed?: number;
}

const seedMax = 2 ** 32 - 1;

export function generateCommand(program: Command): void {
  program
    .command("generate")
    .addOption(requiredStoreOption("mongodb://HOST/DATABASE"))
    .option("--tasks <n>", "how many tasks", wholeNumber(1, limits.liveTasksMax), 100)
    .addOption(
      new Option("--max-sleep <time>", "the longest sleep: seconds, or with a unit, such as 90s or 5m")
        .argParser(sleepTime)
        .default(60_000, "1m"),
    )
    .option(
      "--seed <n>",
      "the same seed makes the same tasks, and none of them twice (default: random)",
      wholeNumber(0, seedMax),
    )
    .action(action(generate));
}

/** A plain number means seconds, as in a task's `sleeptime`. */
function sleepTime(text: string): number {
  return parseDuration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
}

async function generate(context: Context, flags: Flags): Promise<undefined> {
  if (!isMongodb(flags.store)) {
    throw new UsageError(
      "Only a MongoDB store takes tasks without a master.",
      "Give its address, mongodb://HOST/DATABASE, or submit the tasks to a master.",
    );
  }
  const seed = flags.seed ?? Math.floor(Math.random() * seedMax);
  const tasks = Array.from({ length: flags.tasks }, (_, index) => ({
    id: `generated-${seed}-${index + 1}`,
    name: `task-${index + 1}`,
    seconds: sleepSeconds(hashToUnit(`${seed}/${index}`), flags.maxSleep),
  }));
  const { insertTasks } = await import("../../stores/mongodb/insertTasks.ts");
  const inserted = await insertTasks(await mongodbUri(flags.store), tasks);
  const { output } = context;
  if (output.isJson) output.document({ seed, tasks: tasks.length, inserted });
  else
    output.line(
      `${counted(inserted, "task")} inserted, ${tasks.length - inserted} ${tasks.length - inserted === 1 ? "was" : "were"} there already (seed ${seed})`,
    );
}

/** Whole seconds from 1 on where the bound allows it, else whole milliseconds. */
function sleepSeconds(share: number, maxMs: number): number {
  const stepMs = maxMs >= 1_000 ? 1_000 : 1;
  const steps = Math.max(1, Math.floor(maxMs / stepMs));
  return ((1 + Math.floor(share * steps)) * stepMs) / 1_000;
}
