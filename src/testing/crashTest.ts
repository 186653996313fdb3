/** Runs a task again and again, with a kill at every boundary, and finds the one at which it comes out differently. */
import { isDeepStrictEqual } from "node:util";
import type { TaskDocument } from "../model/task.ts";
import { type ChildCall, toSubmission } from "../sdk/handler/call.ts";
import type { Boundary } from "./memoryWorker.ts";
import { type TestCluster, type TestClusterOptions, testCluster } from "./testCluster.ts";

export interface CrashTestOptions extends Omit<TestClusterOptions, "onBoundary"> {
  /** The task. A function makes it anew for each run, with the cluster on which its effects are recorded. */
  readonly task: ChildCall | ((cluster: TestCluster) => ChildCall);
  /** What happens from outside while it runs, such as a signal; called after the submit, in each run. */
  readonly meanwhile?: (cluster: TestCluster, id: string) => Promise<void>;
  /** What dies at the boundaries; both if left out. */
  readonly kills?: readonly ("worker" | "master")[];
  /**
   * True: a worker dies also between the work of a step, or of a stub, and its commit. The work is then done again, so this is
   * for effects that the outside world makes once by a key: record them with `cluster.effect` only where they are new.
   * A worker that dies cuts off its other tasks wherever they are; with `capacity: 1` it has no others.
   */
  readonly isInsideSteps?: boolean;
}

export interface CrashReport {
  /** The boundaries at which something was killed. */
  readonly boundaries: readonly string[];
  readonly runs: number;
}

interface Outcome {
  readonly state: string;
  readonly output: unknown;
  readonly effects: readonly string[];
}

/** @throws CrashTestFailed that names the first boundary at which the outcome differs, or an effect happened twice */
export async function crashTest(options: CrashTestOptions): Promise<CrashReport> {
  const seen: Boundary[] = [];
  const calm = await play(options, (boundary) => void seen.push(boundary));
  const twice = firstRepeated(calm.effects);
  if (twice !== null) throw new CrashTestFailed(null, `The effect "${twice}" happens twice even if nothing is killed.`);
  const names: string[] = [];
  let runs = 1;
  for (const [index, boundary] of seen.entries()) {
    const isInside = boundary.isUncommitted && options.isInsideSteps !== true;
    for (const victim of options.kills ?? (["worker", "master"] as const)) {
      // The death of a master makes no step run again.
      if (isInside && victim === "worker") continue;
      const name = `the ${victim} is killed ${boundary.what} of ${boundary.task}`;
      names.push(name);
      runs += 1;
      let isReached = false;
      const outcome = await play(options, async ({ worker }, cluster, number) => {
        if (number !== index) return;
        isReached = true;
        if (victim === "master") await cluster.changeMaster();
        else await cluster.restartWorker(worker);
      });
      if (!isReached) {
        const message = `The run in which ${name} does not come to that boundary: without a kill the task must do the same each time.`;
        throw new CrashTestFailed(name, message);
      }
      judge(name, outcome, calm);
    }
  }
  return { boundaries: names, runs };
}

function judge(name: string, outcome: Outcome, calm: Outcome): void {
  const twice = firstRepeated(outcome.effects);
  if (twice !== null) throw new CrashTestFailed(name, `When ${name}, the effect "${twice}" happens twice.`);
  if (outcome.state !== calm.state) {
    throw new CrashTestFailed(name, `When ${name}, the task ends as ${outcome.state} instead of ${calm.state}.`);
  }
  if (!isDeepStrictEqual(outcome.output, calm.output)) {
    const [got, wanted] = [JSON.stringify(outcome.output), JSON.stringify(calm.output)];
    throw new CrashTestFailed(name, `When ${name}, the output is ${got} instead of ${wanted}.`);
  }
  const missing = calm.effects.find((effect) => !outcome.effects.includes(effect));
  if (missing !== undefined) throw new CrashTestFailed(name, `When ${name}, the effect "${missing}" does not happen.`);
}

async function play(
  { task, meanwhile, ...options }: CrashTestOptions,
  onBoundary: (boundary: Boundary, cluster: TestCluster, number: number) => void | Promise<void>,
): Promise<Outcome> {
  let number = 0;
  const cluster = await testCluster({
    ...options,
    onBoundary: async (boundary, own) => {
      const mine = number;
      number += 1;
      await onBoundary(boundary, own, mine);
    },
  });
  try {
    const submission = await toSubmission(typeof task === "function" ? task(cluster) : task);
    // The same id in every run: outputs may hold it.
    const id = await cluster.submit({ id: "crash-test", ...submission });
    await meanwhile?.(cluster, id);
    const { state, output }: TaskDocument = await cluster.ended(id);
    return { state, output, effects: cluster.effects };
  } finally {
    await cluster.stop();
  }
}

function firstRepeated(effects: readonly string[]): string | null {
  return effects.find((effect, index) => effects.indexOf(effect) !== index) ?? null;
}

/** A task does not come out the same when something is killed. */
export class CrashTestFailed extends Error {
  /** What was killed and where; null if nothing had to be. */
  readonly boundary: string | null;

  constructor(boundary: string | null, message: string) {
    super(message);
    this.name = "CrashTestFailed";
    this.boundary = boundary;
  }
}
