/** The main job, shot at: many tasks, three workers, one master, and every one of them but one dies on the way. */
import { resolve } from "node:path";
import type { Output } from "../output.ts";
import { type PlannedTask, planCapacity, planTasks } from "./plan.ts";
import { holds } from "./report.ts";
import { Run } from "./run.ts";

/** How long the tasks would take if nobody were killed; with all the deaths it is about twice that. */
const calmRunMs = 10_000;
/** A step of the play must come about within this; only a bug, or tasks longer than this, make it fail. */
const stepMsMax = 60_000;
/** The master is away for at least this long, so that it can be seen. */
const awayMsMin = 2_000;
/** So many tasks end between one return and the next. */
const endsBetween = 5;

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

async function play(
  run: Run,
  { workers, sleepMaxMs, seed }: DemoOptions,
  tasks: readonly PlannedTask[],
  capacity: number,
): Promise<void> {
  const { cluster } = run;
  const first = "worker-1";
  const last = `worker-${workers}`;
  const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
  // A task that is shot must have some of its sleep before it: otherwise it might be over before the shot falls.
  const leftMsMin = Math.min(500, sleepMaxMs / 4);
  const hasWork = (process: string) => (run.runningOn(process)[0]?.leftMs ?? 0) >= leftMsMin;

  await cluster.start("master");
  await Promise.all(names.map((name) => cluster.start(name)));
  run.tell(`One master and ${workers} workers are up, each worker takes ${capacity} tasks at a time`);
  await run.submit(tasks);
  run.tell(`${tasks.length} tasks are in (seed ${seed})`);

  await run.until(
    "the first tasks to end while worker-1 is at work",
    stepMsMax,
    () => run.isDone || (run.live.count("success") >= endsBetween && hasWork(first)),
  );
  const cutOff = workOn(run, first);
  await cluster.kill(first);
  run.tell(`SIGKILL ${first}, with ${cutOff} on it`, "red");
  await run.until(`the tasks of ${first} to run elsewhere`, stepMsMax, () => run.isDone || rerunElsewhere(run, first));
  run.tell(`What ran on ${first} runs again, from scratch, on other workers`);

  const survivors = names.filter((name) => name !== first && name !== last);
  await run.until(
    `${last} and the others to be at work`,
    stepMsMax,
    () => run.isDone || (hasWork(last) && survivors.some(hasWork)),
  );
  const cutOffToo = workOn(run, last);
  const goingOn = survivors.flatMap((name) => run.runningOn(name).map(({ task }) => task));
  const awayFrom = Date.now();
  await cluster.kill("master", last);
  run.tell(`SIGKILL master and ${last}, with ${cutOffToo} on it; ${goingOn.join(", ")} go on elsewhere`, "red");
  const ended = await run.until("a task to end while no master is there", stepMsMax, () => {
    if (Date.now() - awayFrom < awayMsMin) return null;
    const over = run
      .attempts((fact) => goingOn.includes(fact.task) && fact.at > awayFrom)
      .filter(({ ends }) => ends.length > 0);
    return over.length > 0 || goingOn.length === 0 ? over.map(({ task }) => task) : null;
  });
  run.tell(`Meanwhile ${ended.join(", ")} came to the end; the results wait on the workers' disks`);

  await cluster.start("master");
  run.tell("master is back", "green");
  await someMore(run);
  await cluster.start(last);
  run.tell(`${last} is back`, "green");
  await someMore(run);
  await cluster.start(first);
  run.tell(`${first} is back`, "green");
  await run.until("every task to be success", stepMsMax + tasks.length * sleepMaxMs, () => run.isDone);
  run.tell(`All ${tasks.length} tasks are success`, "green");
}

/** Waits until some more tasks have ended, or none are left. */
async function someMore(run: Run): Promise<void> {
  const before = run.live.count("success");
  await run.until(
    "more tasks to end",
    stepMsMax,
    () => run.isDone || run.live.count("success") >= before + endsBetween,
  );
}

/** True when every attempt that died with the process has a later one that has started. */
function rerunElsewhere(run: Run, process: string): boolean {
  const all = run.attempts(() => true);
  const died = all.filter(({ starts, ends }) => starts[0]?.process === process && ends.length === 0);
  return died.every(({ task, attempt }) => all.some((other) => other.task === task && other.attempt > attempt));
}

function workOn(run: Run, process: string): string {
  return (
    run
      .runningOn(process)
      .map(({ task }) => task)
      .join(", ") || "nothing"
  );
}
