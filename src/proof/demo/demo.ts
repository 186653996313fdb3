/**
 * The demonstration: many tasks, three workers and one master, of which all but one worker are killed on the way.
 * With several masters the leader is killed, and a standby takes over before the killed one is back.
 */
import { resolve } from "node:path";
import type { Output } from "../../cli/output.ts";
import { limits } from "../../model/limits.ts";
import type { RunPlace } from "./place.ts";
import { masterNames, type PlannedTask, planCapacity, planTasks } from "./plan.ts";
import { holds } from "./report.ts";
import { Run, type Work } from "./run.ts";

/** How long the tasks would take if no process were killed; with all the kills it is about twice that. */
const calmRunMs = 10_000;
/** One task must end while a long one runs on beside it, so a worker takes at least two. */
const capacityMin = 2;
/** A step must be over within this and twice the longest sleep; only a bug makes it fail. */
const stepMsMax = 60_000;
/** How long the demo waits for the right moment to kill a master. */
const momentMsMax = 4_000;
/** A task that is killed with its worker must have some of its sleep left: otherwise it might end before the kill. */
const leftMsMinMax = 500;
/** This share of all tasks ends between one process's return and the next. */
const shareBetween = 0.05;
/** The long task outlasts this many starts of a master, as slow as the first one was, and then some. */
const startsOutlasted = 4;
const outlastMs = 4_000;
/** Where the long task ended too early, on a machine that is slower than expected, it is tried again, twice as long. */
const roundsMax = 3;

export interface DemoOptions {
  readonly tasks: number;
  readonly masters: number;
  readonly workers: number;
  readonly sleepMaxMs: number;
  readonly seed: number;
  readonly directory: string;
  readonly repeat: string;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly place?: RunPlace;
  readonly isKept?: boolean;
}

/** True if every promise was tested and kept. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const tasks = planTasks(options.seed, options.tasks, options.sleepMaxMs);
  const capacity = Math.max(capacityMin, planCapacity(tasks, options.workers, calmRunMs));
  const { repeat, seed, output, signal, place, isKept } = options;
  const masters = masterNames(options.masters);
  const directory = resolve(options.directory);
  const report = await Run.play(
    {
      command: "demo",
      repeat,
      directory,
      seed,
      masters,
      tasks,
      capacity,
      output,
      signal,
      place,
      isKept,
      mustTestAll: true,
    },
    (run) => play(run, options, tasks),
  );
  return holds(report);
}

async function play(run: Run, options: DemoOptions, tasks: readonly PlannedTask[]): Promise<void> {
  const { masters, workers, sleepMaxMs } = options;
  const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
  const [first = "", ...others] = names;
  const stage: Stage = {
    run,
    first,
    others,
    hasStandby: masters > 1,
    leftMsMin: Math.min(leftMsMinMax, sleepMaxMs / 4),
    between: Math.max(1, Math.floor(tasks.length * shareBetween)),
    stepMs: stepMsMax + 2 * sleepMaxMs,
  };
  await run.startAll(names);
  await run.submit(tasks);
  run.tell(`${tasks.length} tasks are submitted`);

  await killWorker(stage);
  const down = await killMasters(stage, sleepMaxMs);
  for (const process of [...down, first]) await bringBack(stage, process);
  await run.until("every task to be success", stage.stepMs + tasks.length * sleepMaxMs, () => run.isDone);
  run.tell(`All ${run.taskCount} tasks are success`, "green");
}

interface Stage {
  readonly run: Run;
  /** The worker that is killed first, alone, and comes back last. */
  readonly first: string;
  readonly others: readonly string[];
  readonly hasStandby: boolean;
  readonly leftMsMin: number;
  readonly between: number;
  readonly stepMs: number;
}

/** A task that is there to run across a master's death, and the worker that runs it. */
interface LongTask {
  readonly id: string;
  readonly worker: string;
}

async function killWorker(stage: Stage): Promise<void> {
  const { run, first, between, stepMs } = stage;
  await run.until(
    `the first tasks to end while ${first} is at work`,
    stepMs,
    () => run.isDone || (run.live.count("success") >= between && hasWork(stage, first)),
  );
  const cutOff = tasksOn(run, first);
  await run.cluster.kill(first);
  run.tell(`SIGKILL ${first}, while it runs ${listed(cutOff)}`, "red");
  await run.until(`the tasks of ${first} to run elsewhere`, stepMs, () => run.isDone || isRerun(run, first));
  if (cutOff.length > 0) run.tell(`The tasks of ${first} run again, from scratch, on other workers`);
}

/**
 * Kills the leading master, and with it a worker. Repeats it, with a longer task and without the worker, if no task ran from
 * before the kill until its worker had found the next leader. Returns the processes that are still down.
 */
async function killMasters(stage: Stage, sleepMaxMs: number): Promise<readonly string[]> {
  const { run } = stage;
  let sleepMs = sleepMaxMs + startsOutlasted * run.masterStartMs + outlastMs;
  let down: readonly string[] = [];
  for (let round = 1; round <= roundsMax; round++) {
    const long = await startLongTask(stage, `long-${round}`, sleepMs);
    const partner = round === 1 ? (stage.others.findLast((name) => name !== long.worker) ?? null) : null;
    const dead = await killLeader(stage, long, partner);
    down = partner === null ? down : [partner];
    if (stage.hasStandby) down = [dead, ...down];
    else await bringBack(stage, dead);
    if (await ranAcross(stage, long)) return down;
    if (stage.hasStandby) down = await startAgain(stage, dead, down);
    run.tell(`${long.id} ended before ${long.worker} had found a leader again; once more with a longer task`, "yellow");
    sleepMs *= 2;
  }
  return down;
}

async function startAgain(stage: Stage, dead: string, down: readonly string[]): Promise<readonly string[]> {
  await bringBack(stage, dead);
  return down.filter((process) => process !== dead);
}

/** Submits a task that sleeps for long, ahead of all others, and waits until a worker runs it. */
async function startLongTask({ run, stepMs }: Stage, id: string, sleepMs: number): Promise<LongTask> {
  await run.submit([{ id, sleepMs }], limits.priorityMax);
  const worker = await run.until(`${id} to run`, stepMs, () => run.workerOf(id));
  run.tell(`${worker} runs ${id}, which sleeps longer than a master is away`);
  return { id, worker };
}

/** SIGKILL to the leader and `partner` in the same moment. Resolves with the leader's name, when its absence has been used. */
async function killLeader(stage: Stage, long: LongTask, partner: string | null): Promise<string> {
  const { run } = stage;
  await waitForMoment(stage, long, partner);
  const leader = await run.until("a master to lead", stage.stepMs, () => run.leader);
  const cutOff = partner === null ? [] : tasksOn(run, partner);
  const goingOn = stage.others.filter((name) => name !== partner).flatMap((name) => tasksOn(run, name));
  await run.cluster.kill(leader.process, ...(partner === null ? [] : [partner]));
  const killedAt = run.cluster.lives.findLast((life) => life.process === leader.process)?.endedAt ?? Date.now();
  const both = partner === null ? "" : ` and ${partner}, which runs ${listed(cutOff)}`;
  run.tell(
    `SIGKILL ${leader.process}${stage.hasStandby ? ", the leader," : ""}${both}; still running elsewhere: ${listed(goingOn)}`,
    "red",
  );
  if (stage.hasStandby) await waitForTakeover(stage, leader.epoch, killedAt);
  else await waitForResult(stage, long, goingOn, killedAt);
  return leader.process;
}

/** The best moment: `partner` has work to lose, and beside the long task another one runs that will end without a master. */
async function waitForMoment(stage: Stage, long: LongTask, partner: string | null): Promise<void> {
  const { run, stepMs } = stage;
  const from = Date.now();
  await run.until(`${partner ?? long.worker} to be at work`, stepMs, () => {
    if (run.isDoneBut(long.id) || Date.now() - from > momentMsMax) return true;
    const beside = (run.work().get(long.worker) ?? []).some(({ task, leftMs }) => task !== long.id && leftMs > 0);
    return beside && (partner === null || hasWork(stage, partner));
  });
}

/** A result that comes in while there is no master waits on its worker's disk. */
async function waitForResult(
  stage: Stage,
  long: LongTask,
  goingOn: readonly string[],
  killedAt: number,
): Promise<void> {
  const { run, stepMs } = stage;
  const isShort = (task: string) => task !== long.id && goingOn.includes(task);
  const ended = await run.until("a task to end while there is no master", stepMs, () => {
    const over = run.attempts((fact) => fact.kind === "ended" && fact.at > killedAt && isShort(fact.task));
    const isRunning = [...run.work().values()].flat().some(({ task }) => isShort(task));
    return over.length > 0 || !isRunning ? over.map(({ task }) => task) : null;
  });
  if (ended.length > 0) run.tell(`Ended meanwhile: ${listed(ended)}; the results wait on the workers' disks`);
}

async function waitForTakeover({ run, between, stepMs }: Stage, epoch: number, killedAt: number): Promise<void> {
  const next = await run.until("a standby to take over", stepMs, () => {
    const { leader } = run;
    if (leader === null || leader.epoch <= epoch) return null;
    return leader.assignedAt !== null || run.live.count("created") + run.live.count("killed") === 0 ? leader : null;
  });
  const assigned =
    next.assignedAt === null ? "" : ` and has assigned the next task after ${next.assignedAt - killedAt} ms`;
  run.tell(
    `${next.process} leads (epoch ${next.epoch}), ${next.at - killedAt} ms after the SIGKILL,${assigned}`.replace(
      /,$/,
      "",
    ),
    "green",
  );
  await moreToEnd(run, between, stepMs);
}

/** True if the task still runs when its worker has found the next leader, which could end it and must not. */
async function ranAcross({ run, stepMs }: Stage, { id, worker }: LongTask): Promise<boolean> {
  const epoch = await run.until("a master to lead", stepMs, () => run.leader?.epoch);
  await run.until(`${worker} to find the leader`, stepMs, () =>
    run.cluster
      .leaderFacts()
      .some((fact) => fact.kind === "attached" && fact.process === worker && fact.epoch >= epoch),
  );
  const isRunning = run.workerOf(id) === worker;
  if (isRunning) run.tell(`${worker} has found the leader, and ${id} runs on`, "green");
  return isRunning;
}

async function bringBack({ run, between, stepMs }: Stage, process: string): Promise<void> {
  await run.cluster.start(process);
  const isStandby = run.cluster.masters.size > 1 && [...run.cluster.masters.values()].includes(process);
  const role = isStandby ? await run.roleOf(process) : null;
  run.tell(`${process} is back${role === null ? "" : `, as a ${role}`}`, "green");
  await moreToEnd(run, between, stepMs);
}

async function moreToEnd(run: Run, count: number, msMax: number): Promise<void> {
  const before = run.live.count("success");
  await run.until("more tasks to end", msMax, () => !run.hasWaiting || run.live.count("success") >= before + count);
}

function hasWork({ run, leftMsMin }: Stage, process: string): boolean {
  return (run.work().get(process)?.[0]?.leftMs ?? 0) >= leftMsMin;
}

function tasksOn(run: Run, process: string): string[] {
  return (run.work().get(process) ?? []).map(({ task }: Work) => task);
}

function listed(tasks: readonly string[]): string {
  return tasks.length === 0 ? "nothing" : tasks.join(", ");
}

/** True when every attempt that died with the process has a later one that has started. */
function isRerun(run: Run, process: string): boolean {
  const all = run.attempts(() => true);
  const died = all.filter(({ starts, ends }) => starts[0]?.process === process && ends.length === 0);
  return died.every(({ task, attempt }) => all.some((other) => other.task === task && other.attempt > attempt));
}
