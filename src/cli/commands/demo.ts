/** `outlast demo` and `outlast stress`: the options of both; the demonstrations themselves stand in `proof/demo/`. */
import { type Command, Option } from "commander";
import { defaults, limits } from "../../model/limits.ts";
import { positiveDuration, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { type MasterCountFlags, masterCount, masterCountOptions } from "../serverOptions.ts";

interface Options extends MasterCountFlags {
  readonly maxSleep: number;
  readonly tasks: number;
  readonly workers: number;
  readonly seed?: number;
  readonly dir: string;
}

const seedMax = 2 ** 32 - 1;

export function demoCommand(program: Command): void {
  describe(program, "demo", 100).action(
    action(async (context, options: Options) => {
      const { runDemo } = await import("../../proof/demo/demo.ts");
      return toExitCode(await runDemo(plan(context, "demo", options)));
    }),
  );
}

export function stressCommand(program: Command): void {
  describe(program, "stress", 200).action(
    action(async (context, options: Options) => {
      const { runStress } = await import("../../proof/demo/stress.ts");
      return toExitCode(await runStress(plan(context, "stress", options)));
    }),
  );
}

function describe(program: Command, name: string, tasks: number): Command {
  // One worker is killed first and another with the master: a third has to go on.
  const workersMin = 3;
  const command = program
    .command(name)
    .option("--tasks <count>", "how many tasks", wholeNumber(1, limits.batchTasksMax), tasks)
    .option(
      "--workers <count>",
      "how many workers at the start",
      wholeNumber(workersMin, limits.demoWorkersMax),
      workersMin,
    )
    .addOption(
      new Option("--max-sleep <duration>", "longest sleep of a task; the sleeps are random")
        .default(defaults.demoSleepMaxMs, formatDuration(defaults.demoSleepMaxMs))
        .argParser(positiveDuration),
    )
    .option(
      "--seed <number>",
      "replays the tasks and faults of an earlier run (default: random)",
      wholeNumber(0, seedMax),
    )
    .option("--dir <folder>", "directory for the logs and the report", `${name}-run`);
  for (const option of masterCountOptions("how many masters, on one store", limits.demoMastersMax, 1))
    command.addOption(option);
  return command;
}

function plan(context: Context, name: string, options: Options) {
  const seed = options.seed ?? Math.floor(Math.random() * seedMax);
  const { tasks, workers, maxSleep, dir } = options;
  const masters = masterCount(context, options);
  const size = `--tasks ${tasks}${masters === 1 ? "" : ` --master-count ${masters}`} --workers ${workers}`;
  return {
    tasks,
    masters,
    workers,
    sleepMaxMs: maxSleep,
    seed,
    directory: dir,
    repeat: `outlast ${name} --seed ${seed} ${size} --max-sleep ${formatDuration(maxSleep)}`,
    output: context.output,
    signal: context.signal,
  };
}

function toExitCode(isClean: boolean): ExitCode {
  return isClean ? exitCodes.ok : exitCodes.failed;
}
