/** Faults of machines' wall clocks. */
import type { Cluster } from "./cluster.ts";
import { MasterNode } from "./masterNode.ts";
import type { Random } from "./random.ts";
import type { WorkerNode } from "./workerNode.ts";

/** Several masters' clocks are held together from outside (R8). */
function stepMsMax({ masters }: Cluster, node: MasterNode | WorkerNode): number {
  return node instanceof MasterNode && masters.length > 1 ? 3_000 : 3_600_000;
}

function note(world: Cluster, node: MasterNode | WorkerNode): boolean {
  world.ledger.add({ kind: "trouble", what: "clock-jump", nodes: [node.machine] });
  return node instanceof MasterNode && node.isLeading;
}

export function setForward(world: Cluster, random: Random, node: MasterNode | WorkerNode): boolean {
  if (note(world, node)) world.coverage.saw("a clock jumped on the leader");
  node.jumpClock(random.spread(20, stepMsMax(world, node)));
  return true;
}

export function setBack(world: Cluster, random: Random, node: MasterNode | WorkerNode): boolean {
  if (note(world, node)) world.coverage.saw("the leader's clock was set back");
  node.jumpClock(-random.spread(20, stepMsMax(world, node)));
  return true;
}

/** No master's clock is behind: a task would wait until one that is hours behind shows its instant. */
export function setRight({ masters }: Cluster): void {
  for (const master of masters) {
    if (master.clockFault.offsetMs < 0) master.jumpClock(-master.clockFault.offsetMs);
  }
}

/** A wall clock is days ahead for a moment, and then right again. */
export function glitch(world: Cluster, random: Random, node: MasterNode | WorkerNode): boolean {
  if (note(world, node)) world.coverage.saw("the leader's clock was far ahead for a moment");
  const byMs = random.spread(120_000, 10 * 86_400_000);
  node.jumpClock(byMs);
  // It is taken back before anybody follows it, also once all other faults are over.
  world.timeline.after(random.integer(100, Math.floor(world.knobs.clockSettleMs * 0.6)), () => node.jumpClock(-byMs));
  return true;
}
