/** `outlast demo` and `outlast stress`: the options of both; the demonstrations themselves stand in `proof/demo/`. */
import { type Command, Option } from "commander";
import { defaults, limits } from "../../model/limits.ts";
import { positiveDuration, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { type ExitCode, exitCodes } from "../exitCodes.ts";
import { type MasterCountFlags, masterCount, masterCountOptions } from "../serverOptions.ts";

/** What a demonstration plays. */
const acts = ["kills", "family", "schedule", "mapreduce"] as const;

const scheduleAct = { ticks: 600, masters: 3 } as const;
const familyAct = { children: 200, workMsMax: 1_000 } as const;

interface ActFlags {
  readonly act: (typeof acts)[number];
}

export interface DemoFlags extends MasterCountFlags {
  readonly maxSleep: number;
  readonly tasks: number;
  readonly workers: number;
  readonly seed?: number;
  readonly dir: string;
  readonly keep?: true;
}

const seedMax = 2 ** 32 - 1;

export function demoCommand(program: Command): void {
  const given = { tasks: 100, sleepMaxMs: defaults.demoSleepMaxMs, directory: "demo-run" };
  const command = describeDemo(program, "demo", given);
  const act = new Option(
    "--act <name>",
    "kills: tasks whose processes are killed; family: a master task with 200 children; schedule: ticks whose leaders are shot; mapreduce: word counts of 25 and 250 MB",
  );
  command.option("--keep", "serve the finished run, with its dashboard, until Ctrl-C");
  command.addOption(act.choices(acts).default("kills")).action(
    action(async (context, options: DemoFlags & ActFlags) => {
      if (options.act === "family") return playFamily(context, options, command);
      if (options.act === "schedule") return playSchedule(context, options, command);
      if (options.act === "mapreduce") return playMapReduce(context, options);
      const { runDemo } = await import("../../proof/demo/demo.ts");
      const plan = planDemo(context, "outlast demo", options);
      return toExitCode(await runDemo({ ...plan, isKept: options.keep === true }));
    }),
  );
}

/** A tick each second; --tasks says how many. */
async function playSchedule(context: Context, options: DemoFlags, command: Command): Promise<ExitCode> {
  const { runScheduleAct } = await import("../../proof/demo/scheduleAct.ts");
  const { masterNames } = await import("../../proof/demo/plan.ts");
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) !== "default";
  const tasks = isGiven("tasks") ? options.tasks : scheduleAct.ticks;
  const count = isGiven("masterCount") ? options.masterCount : scheduleAct.masters;
  const plan = planDemo(context, "outlast demo --act schedule", { ...options, tasks, masterCount: count });
  const { masters, tasks: ticks, sleepMaxMs: _none, ...rest } = plan;
  return toExitCode(await runScheduleAct({ ...rest, ticks, masters: masterNames(masters) }));
}

/** --tasks says how many children, --max-sleep how long each works at most. */
async function playFamily({ output, signal }: Context, options: DemoFlags, command: Command): Promise<ExitCode> {
  const { runFamilyAct } = await import("../../proof/demo/familyAct.ts");
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) !== "default";
  const children = isGiven("tasks") ? options.tasks : familyAct.children;
  const workMsMax = isGiven("maxSleep") ? options.maxSleep : familyAct.workMsMax;
  const { workers, dir: directory } = options;
  return toExitCode(await runFamilyAct({ children, workMsMax, workers, directory, output, signal }));
}

async function playMapReduce({ output, signal }: Context, { workers, dir }: DemoFlags): Promise<ExitCode> {
  const { actJobs, runMapReduceAct } = await import("../../proof/demo/mapReduceAct.ts");
  return toExitCode(await runMapReduceAct({ jobs: actJobs, workers, directory: dir, output, signal }));
}

export function stressCommand(program: Command): void {
  describeDemo(program, "stress", { tasks: 200, sleepMaxMs: defaults.demoSleepMaxMs, directory: "stress-run" }).action(
    action(async (context, options: DemoFlags) => {
      const { runStress } = await import("../../proof/demo/stress.ts");
      return toExitCode(await runStress(planDemo(context, "outlast stress", options)));
    }),
  );
}

/** What the options of a demonstration say where nobody else does. */
export interface DemoDefaults {
  readonly tasks: number;
  readonly sleepMaxMs: number;
  readonly directory: string;
}

/** A command with the options of a demonstration. */
export function describeDemo(program: Command, name: string, given: DemoDefaults): Command {
  // One worker is killed first and another with the master: a third has to go on.
  const workersMin = 3;
  const command = program
    .command(name)
    .option("--tasks <count>", "how many tasks", wholeNumber(1, limits.batchTasksMax), given.tasks)
    .option(
      "--workers <count>",
      "how many workers at the start",
      wholeNumber(workersMin, limits.demoWorkersMax),
      workersMin,
    )
    .addOption(
      new Option("--max-sleep <duration>", "longest sleep of a task; the sleeps are random")
        .default(given.sleepMaxMs, formatDuration(given.sleepMaxMs))
        .argParser(positiveDuration),
    )
    .option(
      "--seed <number>",
      "replays the tasks and faults of an earlier run (default: random)",
      wholeNumber(0, seedMax),
    )
    .option("--dir <folder>", "directory for the logs and the report", given.directory);
  for (const option of masterCountOptions("how many masters, on one store", limits.demoMastersMax, 1))
    command.addOption(option);
  return command;
}

/** What a demonstration is told, from its options. */
export function planDemo(context: Context, command: string, options: DemoFlags) {
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
    repeat: `${command} --seed ${seed} ${size} --max-sleep ${formatDuration(maxSleep)}`,
    output: context.output,
    signal: context.signal,
  };
}

export function toExitCode(isClean: boolean): ExitCode {
  return isClean ? exitCodes.ok : exitCodes.failed;
}
