/** Gathers what checkers get to see, once the world is at rest or has been given up. */
import type { TaskDocument } from "../../model/task.ts";
import type { TaskId } from "../../model/ids.ts";
import type { FinalState, History, LeaderMemory } from "../ledger.ts";
import type { World } from "./world.ts";

/** How long the leader has to answer what is asked of it at the end. */
const askMs = 20_000;

export async function takeHistory(world: World): Promise<History> {
  const { knobs, ledger, disk } = world;
  const leader = await askLeader(world);
  const { waits, clockOffsetMsMax, clockDriftMax } = knobs;
  return {
    events: ledger.events,
    entries: disk.landed,
    final: { ...finalState(world), leader },
    conditions: {
      suspectMs: waits.suspectMs,
      lostGraceMs: waits.lostGraceMs,
      failoverGraceMs: waits.failoverGraceMs,
      timeoutBackstopMs: waits.timeoutBackstopMs,
      clockSpreadMs: clockOffsetMsMax + world.timeline.now * clockDriftMax * 2,
      driftMax: clockDriftMax,
      isCalm: knobs.temper === "calm",
      sparesWorkers: knobs.temper === "masters-only",
    },
  };
}

function finalState(world: World): Omit<FinalState, "leader"> {
  const { disk, workers } = world;
  const documents = new Map<TaskId, TaskDocument>();
  const unfinished = new Map<TaskId, string>();
  for (const id of disk.specs.keys()) {
    const document = disk.document(id);
    if (document === null) continue;
    documents.set(id, document);
    if (!["success", "failed", "cancelled"].includes(document.state)) unfinished.set(id, `it is ${document.state}`);
  }
  return {
    documents,
    workers: [...disk.workers.values()],
    queues: [...disk.queues.values()],
    outboxes: new Map(workers.map((worker) => [worker.machine, worker.disk.results.size])),
    unfinished,
  };
}

async function askLeader(world: World): Promise<LeaderMemory | null> {
  const leading = world.masters.find((master) => master.isLeading)?.running;
  if (leading === undefined || leading === null) return null;
  const { face } = leading;
  let memory: LeaderMemory | null = null;
  let isOver = false;
  Promise.all([face.workers(), face.queues()]).then(
    ([workers, queues]) => {
      memory = {
        seq: face.status().seq,
        tasksByState: face.stats().tasks,
        workers: workers.map(({ id, boot, running }) => ({ id, boot, running })),
        queues: queues.map(({ name, isPaused, tasks }) => ({ name, isPaused, tasks })),
      };
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  await world.timeline.run(world.timeline.now + askMs, () => isOver);
  return memory;
}
