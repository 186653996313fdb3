/** Faults that are aimed at a moment, because at random they would hardly ever meet it. */
import type { Write } from "../../model/entry.ts";
import { isFinal } from "../../model/task.ts";
import type { Cluster } from "./cluster.ts";
import type { FaultKind } from "./knobs.ts";

/** In so many worlds the store is in trouble before anybody has led for the first time. */
const earlyShare = 0.1;
const earlyMsMax = 100;

/** When the first trouble of this kind comes if it comes with the first election; null if it comes when it comes. */
export function earlyMs({ random }: Cluster, kind: FaultKind): number | null {
  const early = random.fork("early");
  if (!kind.startsWith("store-") || !early.chance(earlyShare)) return null;
  return early.fork(kind).integer(0, earlyMsMax);
}

/** In so many of the worlds in which masters are killed at all. */
const aimedShare = 0.5;
/** So many of the entries in question are followed by a death of the leader. */
const deathShare = 0.3;
const deathsMax = 12;
/** Before its author has an answer, or while it acts on it. */
const afterMsMax = 30;

/** A task that was put into the store is adopted. */
const isAdoption = (write: Write): boolean => write.kind === "spec" && write.spec.adoptedFrom !== undefined;

const moments: readonly ((write: Write) => boolean)[] = [
  isAdoption,
  /** A task gets children. */
  (write) => write.kind === "spec" && write.spec.parent !== undefined,
  /** A task gives its worker back. */
  (write) => write.kind === "status" && (write.status.family?.waits ?? []).length > 0,
  /** A signal comes or is delivered. */
  (write) => write.kind === "record" && write.collection === "signals",
  /** The outcome of a family is decided, or a member of one ends. */
  (write) => write.kind === "status" && write.status.family !== undefined && isFinal(write.status.state),
];

/**
 * Kills the leader right behind entries of a certain kind.
 * @param later does something after a while, unless all faults are over by then
 */
export function aimAtLeader(world: Cluster, later: (afterMs: number, run: () => void) => void): void {
  const random = world.random.fork("aimed");
  if (!world.knobs.faultEveryMs.has("master-crash") || !random.chance(aimedShare)) return;
  const isMoment = world.knobs.foreignTasks > 0 && random.chance(0.5) ? isAdoption : random.pick(moments);
  let left = deathsMax;
  world.disk.onLanded.push(({ writes }) => {
    if (left === 0 || !writes.some(isMoment) || !random.chance(deathShare)) return;
    left -= 1;
    later(random.integer(0, afterMsMax), () => {
      const leader = world.masters.find((master) => master.isLeading);
      if (leader === undefined || leader.isPaused) return;
      leader.crash();
      later(random.spread(10, 10_000), () => leader.start());
    });
  });
}
