/** Strikes at the leader in the moment in which a tick is due: before the tick, with its entry under way, or just after. */
import { worldBeganAt } from "./clock.ts";
import { setBack } from "./clockFaults.ts";
import type { Cluster } from "./cluster.ts";
import type { Random } from "./random.ts";

/** Around the tick; or just after its entry was handed over, when what it has decided is told to nobody yet. */
const moments = [
  [-20, 40],
  [1, 12],
] as const;
/** A tick that is further away is left alone. */
const aheadMsMax = 60_000;

/** @returns false if there is nobody to strike at */
export function strikeAtTick(world: Cluster, random: Random, later: (inMs: number, run: () => void) => void): boolean {
  const { masters, disk, timeline, coverage } = world;
  const leader = masters.find((master) => master.isLeading);
  if (leader === undefined || leader.running === null) return false;
  const { offsetMs, drift } = leader.clockFault;
  const ticks = [...disk.view.records("schedules").values()].flatMap(({ nextAt, isPaused, open, content }) => {
    if (nextAt === null || isPaused) return [];
    const inMs = (nextAt - worldBeganAt - offsetMs) / (1 + drift) - timeline.now;
    return inMs > 0 && inMs < aheadMsMax
      ? [{ inMs, isCancelling: content.overlap === "cancel" && open.length > 0 }]
      : [];
  });
  if (ticks.length === 0) return false;
  // One that cancels leaves a process behind that the next leader has yet to hear of.
  const cancelling = ticks.filter(({ isCancelling }) => isCancelling);
  const { inMs: tickInMs } = random.pick(cancelling.length > 0 && random.chance(0.6) ? cancelling : ticks);
  const life = leader.running;
  const [least, most] = random.pick(moments);
  const inMs = Math.max(0, tickInMs + random.integer(least, most));
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
