/** Strikes at the leader in the moment in which a tick is due: before the tick, with its entry under way, or just after. */
import { worldBeganAt } from "./clock.ts";
import { setBack } from "./clockFaults.ts";
import type { Cluster } from "./cluster.ts";
import type { MasterNode } from "./masterNode.ts";
import type { Random } from "./random.ts";

/** Around the tick; or just after its entry was handed over, when what it has decided is told to nobody yet. */
const moments = [
  [-20, 40],
  [1, 12],
] as const;
/** A tick that is further away is left alone. */
const aheadMsMax = 60_000;

interface TickAhead {
  readonly schedule: string;
  /** By true time. */
  readonly inMs: number;
  readonly isCancelling: boolean;
}

/** What comes next of each schedule, by the clock of the leader. */
function ticksAhead({ disk, timeline }: Cluster, leader: MasterNode): readonly TickAhead[] {
  const { offsetMs, drift } = leader.clockFault;
  return [...disk.view.records("schedules").values()].flatMap(({ name, nextAt, isPaused, open, content }) => {
    if (nextAt === null || isPaused) return [];
    const inMs = (nextAt - worldBeganAt - offsetMs) / (1 + drift) - timeline.now;
    if (inMs <= 0 || inMs >= aheadMsMax) return [];
    return [{ schedule: name, inMs, isCancelling: content.overlap === "cancel" && open.length > 0 }];
  });
}

/** Lets somebody change a schedule when its tick is due. */
export function actAtTick(world: Cluster, random: Random): void {
  const leader = world.masters.find((master) => master.isLeading);
  const { knobs, timeline, clients } = world;
  const isBeforeTheEnd = ({ inMs }: TickAhead) => timeline.now + inMs < knobs.unsafeMs * 0.95;
  const ticks = leader === undefined ? [] : ticksAhead(world, leader).filter(isBeforeTheEnd);
  if (ticks.length === 0) return;
  const { schedule, inMs } = random.pick(ticks);
  const client = random.pick(clients);
  timeline.after(Math.max(0, inMs + random.integer(-30, 30)), () => client.actOnSchedules(schedule));
}

/** @returns false if there is nobody to strike at */
export function strikeAtTick(world: Cluster, random: Random, later: (inMs: number, run: () => void) => void): boolean {
  const leader = world.masters.find((master) => master.isLeading);
  if (leader === undefined || leader.running === null) return false;
  const ticks = ticksAhead(world, leader);
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
    world.coverage.saw("a leader was struck when a tick was due");
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
