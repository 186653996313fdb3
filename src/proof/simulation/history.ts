/** Gathers what checkers get to see, once the world is at rest or has been given up. */

import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { FinalState, History, LeaderMemory, MasterMemory } from "../checkers/ledger.ts";
import type { Cluster } from "./cluster.ts";
import { moveMsMax } from "./eventReader.ts";
import type { MasterNode } from "./masterNode.ts";
import { unansweredMsMax } from "./store.ts";

/** How long the leader has to answer what is asked of it at the end. */
const askMs = 20_000;

export async function takeHistory(world: Cluster): Promise<History> {
  const { knobs, ledger, disk } = world;
  const leader = await askLeader(world);
  await letInboxesEmpty(world);
  await letFollowersCatchUp(world);
  const { waits, clockOffsetMsMax, clockDriftMax } = knobs;
  return {
    events: ledger.events,
    entries: disk.landed,
    final: { ...finalState(world), leader },
    conditions: {
      suspectMs: waits.suspectMs,
      abruptGraceMs: waits.abruptGraceMs,
      lostGraceMs: waits.lostGraceMs,
      goneWorkerKeptMs: waits.goneWorkerKeptMs,
      failoverGraceMs: waits.failoverGraceMs,
      timeoutBackstopMs: waits.timeoutBackstopMs,
      clockSpreadMs: clockOffsetMsMax + world.timeline.now * clockDriftMax * 2,
      driftMax: clockDriftMax,
      clockSettleMs: knobs.clockSettleMs,
      broadcastAwayMs: knobs.broadcastAwayMs,
      isNetworkQuick:
        knobs.latencyMsMax <= 10 && knobs.resetChance === 0 && knobs.lateChance === 0 && knobs.unknownChance === 0,
      addressesVanish: knobs.addressesVanish,
      appendMsMax: knobs.unknownChance > 0 ? unansweredMsMax : 0,
      hasStaleReads: knobs.store === "mongodb",
      retention: knobs.isForgetful ? knobs.master : null,
      workers: knobs.workers,
      masters: knobs.masters,
      timestampSlackMs: 0,
      lostRecordMs: 0,
      areOutputsTokens: true,
      isCalm: knobs.temper === "calm",
      sparesWorkers: knobs.temper === "masters-only",
      seesRecords: true,
    },
  };
}

/** What arrived while the last commit was in flight is no rest of anything; it must only be gone soon. */
async function letInboxesEmpty({ timeline, masters }: Cluster): Promise<void> {
  await timeline.run(timeline.now + askMs, () =>
    masters.every(({ running }) => running?.isOpen !== true || running.face.stats().inboxLength === 0),
  );
}

/** One whose connection died unseen has to move before it hears anything again. */
async function letFollowersCatchUp({ timeline, followers, disk }: Cluster): Promise<void> {
  const { seq: end } = disk;
  const hasCome = () => followers.every(({ seq }) => seq !== null && seq >= end);
  if (!hasCome()) await timeline.run(timeline.now + moveMsMax + askMs, hasCome);
}

function finalState(world: Cluster): Omit<FinalState, "leader"> {
  const { workers } = world;
  const { view } = world.disk;
  const documents = new Map<TaskId, TaskDocument>();
  const unfinished = new Map<TaskId, string>();
  for (const id of view.specs.keys()) {
    const document = view.document(id);
    if (document === null) continue;
    documents.set(id, document);
    if (!["success", "failed", "cancelled", "skipped"].includes(document.state))
      unfinished.set(id, `it is ${document.state}`);
  }
  return {
    documents,
    workers: [...view.records("workers").values()],
    queues: [...view.records("queues").values()],
    outboxes: new Map(workers.map((worker) => [worker.machine, worker.disk.results.size])),
    followers: new Map(world.followers.map((follower) => [follower.machine, follower.seq])),
    masters: world.masters.flatMap((master) => memoryOf(world, master)),
    drifts: world.drifts + world.masters.reduce((sum, { running }) => sum + (running?.face.stats().drifts ?? 0), 0),
    unfinished,
    logs: world.disk.readLogs(),
  };
}

function memoryOf({ timeline, knobs }: Cluster, { running }: MasterNode): MasterMemory[] {
  if (running === null || !running.isOpen) return [];
  const { face, process } = running;
  const { tasks, inboxLength } = face.stats();
  const { role, seq } = face.status();
  const { openCalls, openStreams, timerCount } = process;
  return [
    {
      life: process.name,
      isLeader: role === "leader",
      seq,
      tasksByState: tasks,
      inboxLength,
      openCalls: [...openCalls]
        .filter(({ since }) => timeline.now - since > knobs.callTimeoutMs + askMs)
        .map(({ label }) => label),
      openStreams,
      timers: timerCount,
    },
  ];
}

async function askLeader(world: Cluster): Promise<LeaderMemory | null> {
  let memory: LeaderMemory | null = null;
  // A leader that has not committed for a while commits something before it answers; so it is asked again.
  for (let tries = 0; tries < 3; tries++) {
    const seqBefore = world.disk.seq;
    memory = await askOnce(world);
    if (memory !== null && memory.seq === seqBefore && world.disk.seq === seqBefore) return memory;
  }
  // It went on working: what it said was true of some moment, and nobody knows of which.
  return memory === null ? null : { ...memory, seq: -1 };
}

async function askOnce(world: Cluster): Promise<LeaderMemory | null> {
  const { timeline } = world;
  let memory: LeaderMemory | null = null;
  let isOver = false;
  const ask = async (): Promise<void> => {
    const face = world.masters.find((master) => master.isLeading)?.running?.face;
    if (face === undefined) return;
    const [workers, queues] = await Promise.all([face.workers(), face.queues()]);
    memory = {
      seq: face.status().seq,
      tasksByState: face.stats().tasks,
      workers: workers.map(({ id, boot, running }) => ({ id, boot, running })),
      queues: queues.map(({ name, isPaused, tasks }) => ({ name, isPaused, tasks })),
    };
  };
  const end = (): void => {
    isOver = true;
  };
  timeline.after(0, () => void ask().then(end, end));
  await timeline.run(timeline.now + askMs, () => isOver);
  return memory;
}
