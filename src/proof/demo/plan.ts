/** What a run is going to do, drawn from its seed before anything starts: its tasks, and for the stress test its faults. */
import { SeededRandom } from "../cluster/random.ts";

export interface PlannedTask {
  /** `task-0`, `task-1` …: chosen here, so that a submit whose answer was lost can be repeated safely. */
  readonly id: string;
  readonly sleepMs: number;
}

/** Of the tasks, so many sleep for nearly as long as any may: long enough to run on through the whole time without a leader. */
const longShare = 0.2;
const longFrom = 0.95;

/** Tasks with random sleep times in (0, sleepMaxMs]. */
export function planTasks(seed: number, count: number, sleepMaxMs: number): PlannedTask[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const shareMin = random.chance(longShare) ? longFrom : 0;
    const share = shareMin + random.next() * (1 - shareMin);
    return { id: `task-${index}`, sleepMs: Math.max(1, Math.ceil(share * sleepMaxMs)) };
  });
}

/** `master` alone, or `master-1`, `master-2` … */
export function masterNames(count: number): string[] {
  return count === 1 ? ["master"] : Array.from({ length: count }, (_, index) => `master-${index + 1}`);
}

/** How many tasks a worker takes at a time, so that a run lasts about `runMs` if nothing is killed. */
export function planCapacity(tasks: readonly PlannedTask[], workers: number, runMs: number): number {
  const workMs = tasks.reduce((sum, task) => sum + task.sleepMs, 0);
  return Math.min(64, Math.max(1, Math.round(workMs / (workers * runMs))));
}

/** One fault of the stress test. A `bounce` is a kill and a start in the same moment: back before anyone noticed. */
export interface Fault {
  readonly atMs: number;
  readonly kind: "kill" | "start" | "bounce" | "add";
  readonly process: string;
}

export interface FaultPlan {
  readonly seed: number;
  readonly everyMs: number;
  readonly masters: readonly string[];
  /** Workers that run when the faults begin: `worker-1` … */
  readonly workers: number;
  /** No more than this many workers are ever added up to. */
  readonly workersMax: number;
}

/** A master may miss this many faults before it must be started: a system that is always down shows nothing. */
const masterDownFaultsMax = 4;

/** Of the faults that kill, so many hit a master: often enough to matter, seldom enough for it to get anything done. */
const masterShare = { one: 0.2, several: 0.4 };

/**
 * An endless schedule of faults. It follows from the plan alone, never from what the run is doing,
 * so that a seed that showed a bug shows the same faults again.
 */
export function* planFaults(plan: FaultPlan): Generator<Fault, never> {
  // Its own stream of numbers: how many tasks were drawn must not change the faults.
  const random = new SeededRandom(plan.seed ^ 0x5eed_b10e);
  const masters = new Masters(plan.masters, random);
  const up = new Set(Array.from({ length: plan.workers }, (_, index) => `worker-${index + 1}`));
  const down = new Set<string>();

  for (let count = 1; ; count++) {
    const atMs = count * plan.everyMs;
    const back = masters.drawReturn();
    if (back !== null) {
      yield { atMs, kind: "start", process: back };
      continue;
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
        yield { atMs, kind, process: masters.drawVictim() ?? random.pick([...up].sort()) };
        break;
      case "kill": {
        // The last worker is spared, so that something always runs that a fault can hurt.
        const master = masters.drawVictim(up.size < 2);
        if (master !== null) {
          masters.killed(master);
          yield { atMs, kind, process: master };
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

/** Which masters are up, and for how many faults the others have been down; any number of them may be. */
class Masters {
  readonly #random: SeededRandom;
  readonly #share: number;
  readonly #up: Set<string>;
  /** In the order in which they were killed. */
  readonly #downFor = new Map<string, number>();

  constructor(names: readonly string[], random: SeededRandom) {
    this.#random = random;
    this.#share = names.length === 1 ? masterShare.one : masterShare.several;
    this.#up = new Set(names);
  }

  /** The master that is to be started with this fault, if there is one. */
  drawReturn(): string | null {
    for (const [name, faults] of this.#downFor) this.#downFor.set(name, faults + 1);
    const [longest] = this.#downFor;
    if (longest === undefined) return null;
    const [name, faults] = longest;
    if (faults < masterDownFaultsMax && !this.#random.chance(0.5)) return null;
    this.#downFor.delete(name);
    this.#up.add(name);
    return name;
  }

  /** The master that this fault hits, if it is to hit one. */
  drawVictim(mustBeMaster = false): string | null {
    if (this.#up.size === 0) return null;
    if (!mustBeMaster && !this.#random.chance(this.#share)) return null;
    return this.#random.pick([...this.#up].sort());
  }

  killed(name: string): void {
    this.#up.delete(name);
    this.#downFor.set(name, 0);
  }
}

function drawKind(random: SeededRandom, now: { up: number; down: number; canAdd: boolean }): Fault["kind"] {
  const draw = random.next();
  if (draw < 0.12 && now.canAdd) return "add";
  if (draw < 0.27) return "bounce";
  if (draw < 0.62 && now.down > 0) return "start";
  return "kill";
}
