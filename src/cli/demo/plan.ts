/** What a run is going to do, drawn from its seed before anything starts: its tasks, and for the stress test its blows. */
import { SeededRandom } from "../cluster/random.ts";

export interface PlannedTask {
  /** `task-0`, `task-1` …: chosen here, so that a submit whose answer was lost can be repeated safely. */
  readonly id: string;
  readonly sleepMs: number;
}

/** Tasks with sleep times spread evenly over (0, sleepMaxMs]. */
export function planTasks(seed: number, count: number, sleepMaxMs: number): PlannedTask[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, index) => ({
    id: `task-${index}`,
    sleepMs: Math.max(1, Math.ceil(random.next() * sleepMaxMs)),
  }));
}

/** How many tasks a worker takes at a time, so that a run lasts about `runMs` if nothing is killed. */
export function planCapacity(tasks: readonly PlannedTask[], workers: number, runMs: number): number {
  const workMs = tasks.reduce((sum, task) => sum + task.sleepMs, 0);
  return Math.min(64, Math.max(1, Math.round(workMs / (workers * runMs))));
}

/** One blow of the stress test. A `bounce` is a kill and a start in the same moment: back before anyone noticed. */
export interface Blow {
  readonly atMs: number;
  readonly kind: "kill" | "start" | "bounce" | "add";
  readonly process: string;
}

export interface BlowPlan {
  readonly seed: number;
  readonly everyMs: number;
  /** Workers that run when the blows begin: `worker-1` … */
  readonly workers: number;
  /** No more than this many workers are ever added up to. */
  readonly workersMax: number;
}

/** The master may miss this many blows before it must be started: a system that is always down shows nothing. */
const masterDownBlowsMax = 4;

/** Of the blows that kill, so many hit the master: often enough to matter, seldom enough for it to get anything done. */
const masterShare = 0.2;

/**
 * An endless schedule of blows. It follows from the plan alone, never from what the run is doing,
 * so that a seed that showed a bug shows the same blows again.
 */
export function* planBlows(plan: BlowPlan): Generator<Blow, never> {
  // Its own stream of numbers: how many tasks were drawn must not change the blows.
  const random = new SeededRandom(plan.seed ^ 0x5eed_b10e);
  const up = new Set(Array.from({ length: plan.workers }, (_, index) => `worker-${index + 1}`));
  const down = new Set<string>();
  let masterDownFor: number | null = null;

  for (let count = 1; ; count++) {
    const atMs = count * plan.everyMs;
    if (masterDownFor !== null) {
      masterDownFor += 1;
      if (masterDownFor >= masterDownBlowsMax || random.chance(0.5)) {
        masterDownFor = null;
        yield { atMs, kind: "start", process: "master" };
        continue;
      }
    }
    const kind = drawKind(random, { up: up.size, down: down.size, canAdd: up.size + down.size < plan.workersMax });
    switch (kind) {
      case "start": {
        const process = random.pick([...down].sort());
        down.delete(process);
        up.add(process);
        yield { atMs, kind, process };
        break;
      }
      case "add": {
        const process = `worker-${up.size + down.size + 1}`;
        up.add(process);
        yield { atMs, kind, process };
        break;
      }
      case "bounce":
        yield {
          atMs,
          kind,
          process: masterDownFor === null && random.chance(masterShare) ? "master" : random.pick([...up].sort()),
        };
        break;
      case "kill": {
        // The last worker is spared, so that something always runs that a blow can hurt.
        if (masterDownFor === null && (up.size < 2 || random.chance(masterShare))) {
          masterDownFor = 0;
          yield { atMs, kind, process: "master" };
          break;
        }
        if (up.size < 2) {
          yield { atMs, kind: "bounce", process: random.pick([...up].sort()) };
          break;
        }
        const process = random.pick([...up].sort());
        up.delete(process);
        down.add(process);
        yield { atMs, kind, process };
        break;
      }
      default:
        kind satisfies never;
    }
  }
}

function drawKind(random: SeededRandom, now: { up: number; down: number; canAdd: boolean }): Blow["kind"] {
  const draw = random.next();
  if (draw < 0.12 && now.canAdd) return "add";
  if (draw < 0.27) return "bounce";
  if (draw < 0.62 && now.down > 0) return "start";
  return "kill";
}
