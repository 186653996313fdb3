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
