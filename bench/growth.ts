/** What a cluster costs as it grows: much that waits, many that wait for it, many workers with nothing to do, many schedules at one instant. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient, type Outlast, type Submission } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";
import { cpuMs, residentMiB } from "./processFigures.ts";
import { measureThroughput } from "./throughput.ts";

const batchTasks = 5_000;
const lookMs = 20;
const spanMs = 30_000;
const settleMs = 5_000;
const historyMs = 15_000;
const second = 1_000;
const day = 24 * 60 * 60 * second;

export interface BacklogFigures {
  readonly residentMiB: number;
  /** From the start of a master alone, of which the last one was killed, until it has committed a submit. */
  readonly startSeconds: number;
  /** Of tasks that end once workers come. */
  readonly perSecond: number;
}

/**
 * Fills the queue of a cluster without workers, starts its master again, and three workers once it has read its history again, and
 * watches `drained` tasks end.
 */
export async function measureBacklog(cluster: BenchCluster, queued: number, drained: number): Promise<BacklogFigures> {
  const client = clientOf(cluster);
  await submitMany(client, queued, (index) => ({
    ...{ kind: "sleep", input: { seconds: 0 } },
    name: `fetch page ${index}`,
    id: `page-${index}.of-the-nightly-crawl`,
  }));
  const resident = residentMiB(cluster.pid("master"));
  await cluster.kill("master");
  const killedAt = performance.now();
  await cluster.start("master");
  await submitLater(client);
  const startSeconds = (performance.now() - killedAt) / second;
  await setTimeout(historyMs);
  for (const worker of ["worker-1", "worker-2", "worker-3"]) await cluster.start(worker);
  const ended = () => countEnded(client);
  while ((await ended()) === 0) await setTimeout(lookMs);
  const [before, startedAt] = [await ended(), performance.now()];
  let after = before;
  for (; after - before < drained; after = await ended()) await setTimeout(lookMs);
  return {
    residentMiB: resident,
    startSeconds,
    perSecond: ((after - before) * second) / (performance.now() - startedAt),
  };
}

/** From SIGKILL of the leader until the standby has committed a submit, in ms, with `queued` tasks that wait for tomorrow. */
export async function measureTakeover(cluster: BenchCluster, queued: number): Promise<number> {
  const client = clientOf(cluster);
  const startAt = Date.now() + day;
  await submitMany(client, queued, () => ({ kind: "sleep", input: { seconds: 0 }, startAt }));
  const { seq } = await client.status();
  const leader = await leaderOf(cluster);
  const standby = [...cluster.masters.values()].find((name) => name !== leader) ?? "";
  const follower = createClient({ masters: [cluster.addressOf(standby)] });
  while ((await follower.status()).seq < seq) await setTimeout(lookMs);
  const killedAt = performance.now();
  await cluster.kill(leader);
  await submitLater(client);
  const tookMs = performance.now() - killedAt;
  await cluster.start(leader);
  return tookMs;
}

async function leaderOf(cluster: BenchCluster): Promise<string> {
  for (const name of cluster.masters.values()) {
    const { role } = await createClient({ masters: [cluster.addressOf(name)] }).status();
    if (role === "leader") return name;
  }
  throw new Error("No master leads.");
}

async function submitLater(client: Outlast): Promise<void> {
  await client.submit({ kind: "sleep", input: { seconds: 0 }, startAt: Date.now() + day });
}

export interface RestFigures {
  /** CPU time of the master by time, 1 for one core. */
  readonly coreShare: number;
  readonly entriesWritten: number;
}

/** A master with nothing to do but to hear its workers. */
export async function measureRest(cluster: BenchCluster): Promise<RestFigures> {
  const client = clientOf(cluster);
  await setTimeout(settleMs);
  const pid = cluster.pid("master");
  const [{ seq }, before, startedAt] = [await client.status(), cpuMs(pid), performance.now()];
  await setTimeout(spanMs);
  const coreShare = (cpuMs(pid) - before) / (performance.now() - startedAt);
  return { coreShare, entriesWritten: (await client.status()).seq - seq };
}

export interface IdleWorkersFigures {
  /** CPU time of the master by time beyond that without them, 1 for one core. */
  readonly coreShare: number;
  /** By how much the master's resident set has grown. */
  readonly mebibytes: number;
}

export async function measureIdleWorkers(cluster: BenchCluster, workers: number): Promise<IdleWorkersFigures> {
  const alone = await measureRest(cluster);
  const pid = cluster.pid("master");
  const before = residentMiB(pid);
  const child = await startIdleWorkers(cluster.address, workers);
  try {
    const { coreShare } = await measureRest(cluster);
    return { coreShare: coreShare - alone.coreShare, mebibytes: residentMiB(pid) - before };
  } finally {
    child.kill("SIGKILL");
  }
}

/** Resolves once all of them are attached. */
async function startIdleWorkers(master: string, workers: number): Promise<ChildProcess> {
  const file = fileURLToPath(new URL("./idleWorkers.ts", import.meta.url));
  const child = spawn(process.execPath, [file, master, String(workers)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit").then(() => {
    throw new Error("The idle workers have ended by themselves.");
  });
  await Promise.race([once(child.stdout, "data"), exited]);
  exited.catch(() => undefined);
  return child;
}

export interface WaitingFigures {
  /** Tasks per second with the clients by those without; 1 if they cost nothing. */
  readonly rate: number;
  /** The same of the master's CPU time for one task. */
  readonly cpu: number;
}

/** Runs of `tasks` no-op tasks, in turn without and with `clients` that each wait for a task of their own; sums of three rounds. */
export async function measureWaitingClients(
  cluster: BenchCluster,
  clients: number,
  tasks: number,
): Promise<WaitingFigures> {
  const sums = { alone: { seconds: 0, cpu: 0 }, beside: { seconds: 0, cpu: 0 } };
  const run = async (sum: { seconds: number; cpu: number }) => {
    const { seconds, cpuMicros } = await measureThroughput(cluster, tasks);
    sum.seconds += seconds;
    sum.cpu += cpuMicros.master;
  };
  await measureThroughput(cluster, tasks);
  for (let round = 0; round < 3; round += 1) {
    await run(sums.alone);
    const stop = new AbortController();
    const waiting = await startWaiting(cluster, clients, stop.signal);
    await run(sums.beside);
    stop.abort();
    await Promise.allSettled(waiting);
  }
  const { alone, beside } = sums;
  return { rate: alone.seconds / beside.seconds, cpu: beside.cpu / alone.cpu };
}

async function startWaiting(cluster: BenchCluster, clients: number, signal: AbortSignal): Promise<Promise<unknown>[]> {
  const startAt = Date.now() + day;
  const waiting: Promise<unknown>[] = [];
  for (let number = 0; number < clients; number += 1) {
    const client = clientOf(cluster);
    const { id } = await client.submit({ kind: "sleep", input: { seconds: 0 }, startAt });
    waiting.push(client.wait(id, { signal }));
  }
  for (const one of waiting) one.catch(() => undefined);
  await setTimeout(second);
  return waiting;
}

/** From the instant at which so many schedules are due until the last of their tasks was started, in ms. */
export async function measureTicks(cluster: BenchCluster, schedules: number): Promise<number> {
  const client = clientOf(cluster);
  const atOnce = 50;
  // Twice as long as it takes to put them, on a slow machine.
  const at = Date.now() + 20 * second + 6 * schedules;
  let put = 0;
  const putSome = async () => {
    while (put < schedules) {
      put += 1;
      const task = { kind: "sleep", input: { seconds: 0 } } as const;
      await client.schedules.put(`nightly-${put}`, { when: { at }, task });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, putSome));
  if (Date.now() > at) throw new Error("The schedules were due before all of them were put.");
  const ended = () => countEnded(client);
  while ((await ended()) < schedules) await setTimeout(second);
  let lastAt = 0;
  for await (const { startedAt = 0 } of client.iterate({ states: ["success"] })) lastAt = Math.max(lastAt, startedAt);
  return lastAt - at;
}

/** Commands that do nothing, as many in a second as end. */
export async function measureExec(cluster: BenchCluster, tasks: number): Promise<number> {
  const client = clientOf(cluster);
  const ended = () => countEnded(client);
  const before = await ended();
  const startedAt = performance.now();
  await submitMany(client, tasks, () => ({ kind: "exec", input: { command: ["true"] } }));
  while ((await ended()) - before < tasks) await setTimeout(lookMs);
  return (tasks * second) / (performance.now() - startedAt);
}

async function countEnded(client: Outlast): Promise<number> {
  return (await client.status()).stats.tasks["success"] ?? 0;
}

function clientOf(cluster: BenchCluster): Outlast {
  return createClient({ masters: cluster.address.split(",") });
}

async function submitMany(client: Outlast, tasks: number, taskOf: (index: number) => Submission): Promise<void> {
  for (let start = 0; start < tasks; start += batchTasks) {
    const count = Math.min(batchTasks, tasks - start);
    await client.submitAll(Array.from({ length: count }, (_, index) => taskOf(start + index)));
  }
}
