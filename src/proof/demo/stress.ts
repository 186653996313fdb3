/** The stress test: every half second something random dies, comes back or joins, until all tasks are done. */
import { resolve } from "node:path";
import type { Output } from "../../cli/output.ts";
import type { RunPlace } from "./place.ts";
import { type Fault, masterNames, planCapacity, planFaults, planTasks } from "./plan.ts";
import { holds } from "./report.ts";
import { Run } from "./run.ts";

const faultEveryMs = 500;
/** How long the tasks would take if nobody were killed; under the faults it is several times that. */
const calmRunMs = 8_000;
/** Tasks are put in piece by piece, so that masters die under submits too. */
const submitPieces = 20;
/** Tasks that are left when the faults have gone on for so long are done in peace. */
const faultsMsMax = 120_000;
const drainMsMax = 120_000;
/** Workers may join up to twice as many as there were. */
const growth = 2;

export interface StressOptions {
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
}

/** True if every promise was kept. */
export async function runStress(options: StressOptions): Promise<boolean> {
  const tasks = planTasks(options.seed, options.tasks, options.sleepMaxMs);
  const capacity = planCapacity(tasks, options.workers, calmRunMs);
  const { repeat, seed, output, signal, place } = options;
  const masters = masterNames(options.masters);
  const directory = resolve(options.directory);
  const report = await Run.play(
    { command: "stress", repeat, directory, seed, masters, tasks, capacity, output, signal, place, mustTestAll: false },
    async (run) => {
      const names = Array.from({ length: options.workers }, (_, index) => `worker-${index + 1}`);
      await run.startAll(names);
      const isSubmitted = { value: false };
      const submits = submitAll(run, tasks).then(() => {
        isSubmitted.value = true;
      });
      // Whoever waits below hears of it; until then a failure must not end the process.
      submits.catch(() => {});
      const plan = planFaults({
        seed,
        everyMs: faultEveryMs,
        masters,
        workers: options.workers,
        workersMax: options.workers * growth,
      });
      await strikeUntil(run, plan, () => isSubmitted.value && run.isDone);
      await letLive(run);
      await submits;
      await run.until("all tasks to drain", drainMsMax, () => run.isDone);
      run.tell(`All ${tasks.length} tasks are success`, "green");
    },
  );
  return holds(report);
}

async function submitAll(run: Run, tasks: readonly { id: string; sleepMs: number }[]): Promise<void> {
  const size = Math.max(1, Math.ceil(tasks.length / submitPieces));
  for (let from = 0; from < tasks.length; from += size) {
    // The next piece goes in when half of what is in has begun, so that there is always some waiting, and never all.
    await run.until(
      "tasks to be taken",
      drainMsMax,
      () => run.live.count("success") + run.live.count("running") >= from / 2,
    );
    await run.submit(tasks.slice(from, from + size));
  }
  run.tell(`All ${tasks.length} tasks are submitted`);
}

/** Faults fall at their times, whatever state the cluster is in, until `isOver` or for `faultsMsMax`. */
async function strikeUntil(run: Run, plan: Iterable<Fault>, isOver: () => boolean): Promise<void> {
  const startedAt = Date.now();
  for (const fault of plan) {
    // In containers a fault takes longer than the time until the next one, so the plan alone would go on for many minutes.
    if (Math.max(fault.atMs, Date.now() - startedAt) > faultsMsMax) return;
    await run.until("the next fault", faultEveryMs * 20, () => isOver() || Date.now() - startedAt >= fault.atMs);
    if (isOver()) return;
    await strike(run, fault);
  }
}

async function strike(run: Run, { kind, process }: Fault): Promise<void> {
  const { cluster } = run;
  switch (kind) {
    case "kill":
      await cluster.kill(process);
      run.tell(`SIGKILL ${process}`, "red");
      break;
    case "bounce":
      await cluster.kill(process);
      cluster.launch(process);
      run.tell(`SIGKILL ${process}, and an immediate restart`, "yellow");
      break;
    case "start":
      cluster.launch(process);
      run.tell(`${process} restarts`, "green");
      break;
    case "add":
      cluster.launch(process);
      run.tell(`${process} joins`, "green");
      break;
    default:
      kind satisfies never;
  }
}

/** Starts what is down and waits until all are ready. */
async function letLive(run: Run): Promise<void> {
  const { cluster } = run;
  for (const name of cluster.names()) if (!cluster.isUp(name)) cluster.launch(name);
  await run.until("every process to be ready", drainMsMax, () => {
    const last = new Map(cluster.lives.map((life) => [life.process, life]));
    return [...last.values()].every((life) => life.readyAt !== null);
  });
  run.tell("No more faults; every process is running");
}
