/** The main job, shot at: many tasks, three workers, one master, and every one of them but one dies on the way. */
import { resolve } from "node:path";
import type { Output } from "../output.ts";
import { type PlannedTask, planCapacity, planTasks } from "./plan.ts";
import { holds } from "./report.ts";
import { Run } from "./run.ts";

/** How long the tasks would take if nobody were killed; with all the deaths it is about twice that. */
const calmRunMs = 10_000;
/** A step of the play must come about within this and twice the longest sleep; only a bug makes it fail. */
const stepMsMax = 60_000;
/** The master is away for at least this long, so that it can be seen; not for longer than needed, so that it finds some work still going on. */
const awayMsMin = 500;
/** A task that is shot must have some of its sleep before it: otherwise it might be over before the shot falls. */
const leftMsMinMax = 500;
/** So many tasks, of all, end between one return and the next. */
const shareBetween = 0.05;

export interface DemoOptions {
  readonly tasks: number;
  readonly workers: number;
  readonly sleepMaxMs: number;
  readonly seed: number;
  readonly directory: string;
  readonly repeat: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** True if every promise was kept. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const tasks = planTasks(options.seed, options.tasks, options.sleepMaxMs);
  const capacity = planCapacity(tasks, options.workers, calmRunMs);
  const { repeat, seed, output, signal } = options;
  const report = await Run.play(
    { command: "demo", repeat, directory: resolve(options.directory), seed, tasks, capacity, output, signal },
    (run) => play(run, options, tasks, capacity),
    ["rerun-in-full", "master-death"],
  );
  return holds(report);
}

async function play(run: Run, options: DemoOptions, tasks: readonly PlannedTask[], capacity: number): Promise<void> {
  const { workers, seed, sleepMaxMs } = options;
  const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
  const stage: Stage = {
    run,
    first: "worker-1",
    last: `worker-${workers}`,
    survivors: names.slice(1, -1),
    leftMsMin: Math.min(leftMsMinMax, sleepMaxMs / 4),
    between: Math.max(1, Math.floor(tasks.length * shareBetween)),
    stepMs: stepMsMax + 2 * sleepMaxMs,
  };
  await run.cluster.start("master");
  await Promise.all(names.map((name) => run.cluster.start(name)));
  run.tell(`One master and ${workers} workers are up, each worker takes ${capacity} tasks at a time`);
  await run.submit(tasks);
  run.tell(`${tasks.length} tasks are in (seed ${seed})`);

  await shootWorker(stage);
  await shootMasterAndWorker(stage);
  await bringBack(stage, ["master", stage.last, stage.first]);
  await run.until("every task to be success", stage.stepMs + tasks.length * sleepMaxMs, () => run.isDone);
  run.tell(`All ${tasks.length} tasks are success`, "green");
}

interface Stage {
  readonly run: Run;
  /** Dies first, alone, and comes back last. */
  readonly first: string;
  /** Dies together with the master. */
  readonly last: string;
  readonly survivors: readonly string[];
  readonly leftMsMin: number;
  readonly between: number;
  readonly stepMs: number;
}

async function shootWorker(stage: Stage): Promise<void> {
  const { run, first, between, stepMs } = stage;
  await run.until(
    `the first tasks to end while ${first} is at work`,
    stepMs,
    () => run.isDone || (run.live.count("success") >= between && hasWork(stage, first)),
  );
  const cutOff = workOn(run, first);
  await run.cluster.kill(first);
  run.tell(`SIGKILL ${first}, with ${cutOff.join(", ") || "nothing"} on it`, "red");
  await run.until(`the tasks of ${first} to run elsewhere`, stepMs, () => run.isDone || isRerun(run, first));
  if (cutOff.length > 0) run.tell(`What ran on ${first} runs again, from scratch, on other workers`);
}

/** Not before the others are at work too: there must be something that the master's death could harm. */
async function shootMasterAndWorker(stage: Stage): Promise<void> {
  const { run, last, survivors, stepMs } = stage;
  await run.until(
    `${last} and the others to be at work`,
    stepMs,
    () => run.isDone || (hasWork(stage, last) && survivors.some((name) => hasWork(stage, name))),
  );
  const cutOff = workOn(run, last);
  const goingOn = survivors.flatMap((name) => workOn(run, name));
  const awayFrom = Date.now();
  await run.cluster.kill("master", last);
  run.tell(
    `SIGKILL master and ${last}, with ${cutOff.join(", ") || "nothing"} on it; elsewhere goes on: ${goingOn.join(", ") || "nothing"}`,
    "red",
  );
  const ended = await run.until("a task to end while no master is there", stepMs, () => {
    if (Date.now() - awayFrom < awayMsMin) return null;
    const over = run.attempts((fact) => fact.kind === "ended" && fact.at > awayFrom && goingOn.includes(fact.task));
    return over.length > 0 || goingOn.length === 0 ? over.map(({ task }) => task) : null;
  });
  if (ended.length > 0) run.tell(`Meanwhile ended: ${ended.join(", ")}; the results wait on the workers' disks`);
}

/** One after the other, each a little later than the one before. */
async function bringBack({ run, between, stepMs }: Stage, processes: readonly string[]): Promise<void> {
  for (const process of processes) {
    await run.cluster.start(process);
    run.tell(`${process} is back`, "green");
    const before = run.live.count("success");
    await run.until("more tasks to end", stepMs, () => run.isDone || run.live.count("success") >= before + between);
  }
}

function hasWork({ run, leftMsMin }: Stage, process: string): boolean {
  return (run.runningOn(process)[0]?.leftMs ?? 0) >= leftMsMin;
}

function workOn(run: Run, process: string): string[] {
  return run.runningOn(process).map(({ task }) => task);
}

/** True when every attempt that died with the process has a later one that has started. */
function isRerun(run: Run, process: string): boolean {
  const all = run.attempts(() => true);
  const died = all.filter(({ starts, ends }) => starts[0]?.process === process && ends.length === 0);
  return died.every(({ task, attempt }) => all.some((other) => other.task === task && other.attempt > attempt));
}
