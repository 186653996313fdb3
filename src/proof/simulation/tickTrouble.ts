/** Strikes at the leader in the moment in which a tick is due: before the tick, with its entry under way, or just after. */
import { worldBeganAt } from "./clock.ts";
import { setBack } from "./clockFaults.ts";
import type { Cluster } from "./cluster.ts";
import type { Random } from "./random.ts";

const beforeMs = 20;
const afterMs = 40;
/** A tick that is further away is left alone. */
const aheadMsMax = 60_000;

/** @returns false if there is nobody to strike at */
export function strikeAtTick(world: Cluster, random: Random, later: (inMs: number, run: () => void) => void): boolean {
  const { masters, disk, timeline, coverage } = world;
  const leader = masters.find((master) => master.isLeading);
  if (leader === undefined || leader.running === null) return false;
  const { offsetMs, drift } = leader.clockFault;
  const waits = [...disk.view.records("schedules").values()].flatMap(({ nextAt, isPaused }) => {
    if (nextAt === null || isPaused) return [];
    const inMs = (nextAt - worldBeganAt - offsetMs) / (1 + drift) - timeline.now;
    return inMs > 0 && inMs < aheadMsMax ? [inMs] : [];
  });
  if (waits.length === 0) return false;
  const life = leader.running;
  const inMs = Math.max(0, random.pick(waits) + random.integer(-beforeMs, afterMs));
  const kind = random.pick(["crash", "crash", "pause", "clock"]);
  later(inMs, () => {
    if (leader.running !== life || leader.isPaused || !leader.isLeading) return;
    coverage.saw("a leader was struck when a tick was due");
    if (kind === "clock") {
      setBack(world, random, leader);
      return;
    }
    if (kind === "pause") leader.pause();
    else leader.crash();
    later(random.spread(10, 30_000), () => {
      if (kind === "crash") leader.start();
      else if (leader.running === life) leader.resume();
    });
  });
  return true;
}
