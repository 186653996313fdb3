/** Faults that are aimed at a moment, because at random they would hardly ever meet it. */
import type { Write } from "../../model/entry.ts";
import type { ChildSetRecord } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
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
  /** The last of a task's children ends, so that something follows for the task. */
  (write) => write.kind === "record" && write.collection === "childSets" && isOver(write.value),
];

function isOver(set: ChildSetRecord | null): boolean {
  if (set === null) return false;
  const { isSealed, created, succeeded, failed, cancelled, skipped = 0 } = set;
  return isSealed && succeeded + failed + cancelled + skipped === created;
}

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

/** Where an attempt that has just made children or remembered a step runs, it is half done; null if the write says nothing of it. */
function halfDone(write: Write): TaskId | null {
  if (write.kind === "spec") return write.spec.parent ?? null;
  const isStep = write.kind === "record" && write.collection === "steps" && write.value !== null;
  return isStep ? (write.id.slice(0, write.id.indexOf("/")) as TaskId) : null;
}

/** Kills a worker, lets it sleep until it is given up, or makes it attach again, in the midst of what a handler does or an attempt's dying. */
export function aimAtWorkers(world: Cluster, later: (afterMs: number, run: () => void) => void): void {
  const random = world.random.fork("aimed at workers");
  const { faultEveryMs, waits } = world.knobs;
  const hasDeaths = faultEveryMs.has("worker-crash");
  if (!(hasDeaths || faultEveryMs.has("worker-pause")) || !random.chance(aimedShare)) return;
  const { statuses } = world.disk.view;
  let left = deathsMax;
  const strike = (host: string, isDying: boolean): void => {
    const worker = world.workers.find(({ id }) => id === host);
    const process = worker?.process ?? null;
    if (worker === undefined || process === null || process.isPaused) return;
    if (isDying) {
      const what = { what: "stream-reset", nodes: [worker.machine] };
      world.ledger.add({ kind: "trouble", ...what });
      worker.resetStream();
      world.ledger.add({ kind: "trouble-over", ...what });
      return;
    }
    if (hasDeaths && random.chance(0.5)) {
      worker.crash();
      return later(random.spread(10, 10_000), () => worker.start());
    }
    worker.pause();
    const pausedMs = random.spread(waits.suspectMs, 3 * waits.lostGraceMs);
    later(pausedMs, () => worker.process === process && worker.resume());
  };
  world.disk.onLanded.push(({ writes }) => {
    for (const write of writes) {
      const isDying = write.kind === "record" && write.collection === "dyingHolds" && write.value !== null;
      const task = halfDone(write);
      const host = isDying ? write.value.worker : task === null ? undefined : statuses.get(task)?.status.host;
      if (left === 0 || host === undefined || !random.chance(deathShare)) continue;
      left -= 1;
      later(random.integer(0, isDying ? 1_000 : afterMsMax), () => strike(host, isDying));
    }
  });
}

/** Before a new leader has done anything but to say that it leads. */
const untilFirstMsMax = 5;
const awayMax = 3;

/** The store goes away right behind the marker of a new leader. */
export function aimAtStore(world: Cluster, later: (afterMs: number, run: () => void) => void): void {
  const random = world.random.fork("aimed at the store");
  const { storeWeather, ledger, timeline } = world;
  if (!world.knobs.faultEveryMs.has("store-away") || !random.chance(aimedShare)) return;
  let left = awayMax;
  world.disk.onLanded.push(({ writes }) => {
    if (left === 0 || writes[0]?.kind !== "marker" || !random.chance(aimedShare)) return;
    left -= 1;
    const forMs = random.spread(1_000, 60_000);
    later(random.integer(0, untilFirstMsMax), () => {
      if (storeWeather.isAway) return;
      const trouble = { what: `store-away behind a marker, ${left} left`, nodes: [] };
      timeline.trace(`the store goes away behind a marker, for ${forMs} ms`);
      ledger.add({ kind: "trouble", ...trouble });
      storeWeather.isAway = true;
      later(forMs, () => {
        storeWeather.isAway = false;
        ledger.add({ kind: "trouble-over", ...trouble });
      });
    });
  });
}
