/**
 * The main job, shot at: many tasks, three workers, one master, and every one of them but one dies on the way.
 * With several masters it is the leader that dies, and a standby that takes over before the dead one is back.
 */
import { resolve } from "node:path";
import type { Output } from "../../cli/output.ts";
import type { CheckId } from "./check.ts";
import { masterNames, type PlannedTask, planCapacity, planTasks } from "./plan.ts";
import { holds } from "./report.ts";
import { Run, type Work } from "./run.ts";

/** How long the tasks would take if nobody were killed; with all the deaths it is about twice that. */
const calmRunMs = 10_000;
/** A step of the play must come about within this and twice the longest sleep; only a bug makes it fail. */
const stepMsMax = 60_000;
/** A master needs about so long to start: while work that is to outlast its absence has no more left, it must not wait. */
const startMs = 800;
/** A task with no more left ends before any worker finds a leader again. */
const endSoonMsMax = 150;
/** The moment to shoot a leader is waited for at most so long, and while no more of the tasks are done. */
const momentMsMax = 8_000;
const momentShareMax = 0.5;
/** A task that is shot must have some of its sleep before it: otherwise it might be over before the shot falls. */
const leftMsMinMax = 500;
/** So many tasks, of all, end between one return and the next. */
const shareBetween = 0.05;

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
}

/** True if every promise was kept. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const tasks = planTasks(options.seed, options.tasks, options.sleepMaxMs);
  const capacity = planCapacity(tasks, options.workers, calmRunMs);
  const { repeat, seed, output, signal } = options;
  const masters = masterNames(options.masters);
  const directory = resolve(options.directory);
  const mustShow: readonly CheckId[] =
    masters.length > 1 ? ["rerun-in-full", "master-death", "takeover"] : ["rerun-in-full", "ended-meanwhile"];
  const report = await Run.play(
    { command: "demo", repeat, directory, seed, masters, tasks, capacity, output, signal },
    (run) => play(run, options, tasks, capacity),
    mustShow,
  );
  return holds(report);
}

async function play(run: Run, options: DemoOptions, tasks: readonly PlannedTask[], capacity: number): Promise<void> {
  const { masters, workers, sleepMaxMs } = options;
  const names = Array.from({ length: workers }, (_, index) => `worker-${index + 1}`);
  const stage: Stage = {
    run,
    first: "worker-1",
    last: `worker-${workers}`,
    survivors: names.slice(1, -1),
    slots: capacity * (workers - 2),
    leftMsMin: Math.min(leftMsMinMax, sleepMaxMs / 4),
    // A standby takes over in a moment; a master that has to start again takes most of the longest sleep.
    outlastMs: sleepMaxMs * (masters > 1 ? 0.5 : 0.85),
    endSoonMs: Math.min(endSoonMsMax, sleepMaxMs / 5),
    doneMax: tasks.length * momentShareMax,
    between: Math.max(1, Math.floor(tasks.length * shareBetween)),
    stepMs: stepMsMax + 2 * sleepMaxMs,
  };
  await run.startAll(names);
  await run.submit(tasks);
  run.tell(`${tasks.length} tasks are in`);

  await shootWorker(stage);
  const dead = masters > 1 ? await shootLeaderAndWorker(stage) : await shootMasterAndWorker(stage);
  await bringBack(stage, [dead, stage.last, stage.first]);
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
  /** How many tasks the survivors take at a time. */
  readonly slots: number;
  readonly leftMsMin: number;
  /** A task with as much left outlasts the time without a leader. */
  readonly outlastMs: number;
  /** A task with no more left ends in it. */
  readonly endSoonMs: number;
  /** With so many tasks done, the moment to shoot a leader has come, whatever runs. */
  readonly doneMax: number;
  readonly between: number;
  readonly stepMs: number;
}

async function shootWorker(stage: Stage): Promise<void> {
  const { run, first, between, stepMs } = stage;
  await run.until(
    `the first tasks to end while ${first} is at work`,
    stepMs,
    () => run.isDone || (run.live.count("success") >= between && hasWork(stage, run.work(), first)),
  );
  const cutOff = tasksOn(run.work(), [first]);
  await run.cluster.kill(first);
  run.tell(`SIGKILL ${first}, with ${cutOff.join(", ") || "nothing"} on it`, "red");
  await run.until(`the tasks of ${first} to run elsewhere`, stepMs, () => run.isDone || isRerun(run, first));
  if (cutOff.length > 0) run.tell(`What ran on ${first} runs again, from scratch, on other workers`);
}

/** Kills the only master and a worker; resolves with the master's name when work has ended without it. */
async function shootMasterAndWorker(stage: Stage): Promise<string> {
  const { run, survivors, stepMs } = stage;
  const { leader: master, goingOn, killedAt } = await shootBoth(stage, "");
  const ended = await run.until("a task to end while no master is there", stepMs, () => {
    const over = run.attempts((fact) => fact.kind === "ended" && fact.at > killedAt && goingOn.includes(fact.task));
    const longest = survivors.map((name) => run.work().get(name)?.[0]?.leftMs ?? 0);
    return over.length > 0 || Math.max(...longest) < startMs ? over.map(({ task }) => task) : null;
  });
  if (ended.length > 0) run.tell(`Meanwhile ended: ${ended.join(", ")}; the results wait on the workers' disks`);
  return master;
}

/** Kills the leader and a worker; resolves with the leader's name when another master has led for a while. */
async function shootLeaderAndWorker(stage: Stage): Promise<string> {
  const { run, between, stepMs } = stage;
  const { leader: dead, goingOn, epoch, killedAt } = await shootBoth(stage, ", which leads,");
  const next = await run.until("a standby to take over", stepMs, () => {
    const { leader } = run;
    if (leader === null || leader.epoch <= epoch) return null;
    return leader.assignedAt !== null || run.live.count("created") + run.live.count("killed") === 0 ? leader : null;
  });
  const assigned =
    next.assignedAt === null ? "" : `, and has assigned the next task after ${next.assignedAt - killedAt} ms`;
  run.tell(
    `${next.process} leads (epoch ${next.epoch}), ${next.at - killedAt} ms after the SIGKILL${assigned}`,
    "green",
  );
  const survivors = [...run.work().values()].flat().map(({ task }) => task);
  const stillOn = goingOn.filter((task) => survivors.includes(task));
  if (stillOn.length > 0) run.tell(`Untouched by all this, and still running: ${stillOn.join(", ")}`);
  await moreToEnd(run, between, stepMs);
  return dead;
}

/** SIGKILL to the leader and the last worker in the same moment. `what` the leader is, for the story. */
async function shootBoth(
  stage: Stage,
  what: string,
): Promise<{ leader: string; epoch: number; killedAt: number; goingOn: readonly string[] }> {
  const { run, last, survivors, stepMs } = stage;
  const from = Date.now();
  const { leader, work } = await run.until(`${last} and the others to be at work`, stepMs, () => {
    const isLate = Date.now() - from > momentMsMax || run.live.count("success") > stage.doneMax;
    const seen = run.work();
    return run.leader !== null && (run.isDone || isMoment(stage, seen, isLate))
      ? { leader: run.leader, work: seen }
      : null;
  });
  const cutOff = tasksOn(work, [last]);
  const goingOn = tasksOn(work, survivors);
  await run.cluster.kill(leader.process, last);
  const killedAt = run.cluster.lives.findLast((life) => life.process === leader.process)?.endedAt ?? Date.now();
  run.tell(
    `SIGKILL ${leader.process}${what} and ${last}, with ${cutOff.join(", ") || "nothing"} on it; elsewhere goes on: ${goingOn.join(", ") || "nothing"}`,
    "red",
  );
  return { leader: leader.process, epoch: leader.epoch, killedAt, goingOn };
}

/**
 * There must be something that the leader's death could harm: on the workers that live on, a task that will still run when they
 * find the next leader, and one that ends before. Too late, any work will do.
 */
function isMoment(stage: Stage, work: ReadonlyMap<string, readonly Work[]>, isLate: boolean): boolean {
  if (!hasWork(stage, work, stage.last)) return false;
  const left = stage.survivors.flatMap((name) => work.get(name) ?? []).map(({ leftMs }) => leftMs);
  if (isLate) return left.some((ms) => ms >= stage.leftMsMin);
  const isEndSeen = stage.slots === 1 || left.some((ms) => ms > 0 && ms <= stage.endSoonMs);
  return isEndSeen && left.some((ms) => ms >= stage.outlastMs);
}

/** One after the other, each a little later than the one before. */
async function bringBack({ run, between, stepMs }: Stage, processes: readonly string[]): Promise<void> {
  for (const process of processes) {
    await run.cluster.start(process);
    const isStandby = run.cluster.masters.size > 1 && [...run.cluster.masters.values()].includes(process);
    const role = isStandby ? await run.roleOf(process) : null;
    run.tell(`${process} is back${role === null ? "" : `, as a ${role}`}`, "green");
    await moreToEnd(run, between, stepMs);
  }
}

async function moreToEnd(run: Run, count: number, msMax: number): Promise<void> {
  const before = run.live.count("success");
  await run.until("more tasks to end", msMax, () => run.isDone || run.live.count("success") >= before + count);
}

function hasWork({ leftMsMin }: Stage, work: ReadonlyMap<string, readonly Work[]>, process: string): boolean {
  return (work.get(process)?.[0]?.leftMs ?? 0) >= leftMsMin;
}

function tasksOn(work: ReadonlyMap<string, readonly Work[]>, processes: readonly string[]): string[] {
  return processes.flatMap((process) => work.get(process) ?? []).map(({ task }) => task);
}

/** True when every attempt that died with the process has a later one that has started. */
function isRerun(run: Run, process: string): boolean {
  const all = run.attempts(() => true);
  const died = all.filter(({ starts, ends }) => starts[0]?.process === process && ends.length === 0);
  return died.every(({ task, attempt }) => all.some((other) => other.task === task && other.attempt > attempt));
}
