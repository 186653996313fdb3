/**
 * The stores side by side: the same work on each in turn, round by round, so that whatever the machine does meanwhile meets all of
 * them. Figures are medians over the rounds.
 */
import { setTimeout } from "node:timers/promises";
import { MongoClient } from "mongodb";
import type { TestServer } from "../scripts/mongodb/testServer.ts";
import { createClient } from "../src/sdk/index.ts";
import { type BenchCluster, type StoreKind, withCluster } from "./benchCluster.ts";
import { measureStartLatency } from "./latency.ts";
import { measureMemory } from "./memory.ts";
import { median, percentile } from "./percentiles.ts";
import { residentMiB } from "./processFigures.ts";
import { measureThroughput } from "./throughput.ts";

export interface StoresOptions {
  readonly parent: string;
  readonly stores: readonly StoreKind[];
  readonly tasks: number;
  readonly samples: number;
  readonly queued: number;
  readonly rounds: number;
}

/** Of one store. What is of a server is NaN where the store has none. */
export interface StoreFigures {
  readonly perSecond: number;
  readonly masterMicros: number;
  readonly workersMicros: number;
  readonly serverMicros: number;
  /** From the last success that the master counted until that was in the documents, as far as the store has noted it. */
  readonly viewLagMs: number;
  readonly startP50Ms: number;
  readonly startP99Ms: number;
  readonly masterMiB: number;
  readonly serverMiB: number;
}

const warmUpTasks = 2_000;
const warmUpSamples = 20;
const lookMs = 20;

export async function measureStores(options: StoresOptions): Promise<ReadonlyMap<StoreKind, StoreFigures>> {
  const runs = new Map<StoreKind, StoreFigures[]>(options.stores.map((store) => [store, []]));
  for (let round = 0; round < options.rounds; round += 1)
    for (const store of options.stores) runs.get(store)?.push(await measureStore(store, options));
  return new Map([...runs].map(([store, figures]) => [store, medians(figures)]));
}

function measureStore(store: StoreKind, { parent, tasks, samples, queued }: StoresOptions): Promise<StoreFigures> {
  return withCluster({ parent, store, workers: 3, capacity: 1000, isServerSynced: true }, async (cluster, server) => {
    await measureThroughput(cluster, warmUpTasks);
    await viewReached(cluster, server);
    const before = server?.cpuMs() ?? Number.NaN;
    const { perSecond, cpuMicros } = await measureThroughput(cluster, tasks);
    const endedAt = performance.now();
    await viewReached(cluster, server);
    const viewLagMs = server === null ? Number.NaN : performance.now() - endedAt;
    // With what follows the last success: these are the same tasks' documents.
    const serverMicros = (((server?.cpuMs() ?? Number.NaN) - before) * 1_000) / tasks;
    await measureStartLatency(cluster, warmUpSamples);
    const starts = await measureStartLatency(cluster, samples);
    await createClient({ masters: [cluster.address] }).pause("default");
    const masterMiB = await measureMemory(cluster, queued);
    return {
      perSecond,
      masterMicros: cpuMicros.master,
      workersMicros: cpuMicros.workers,
      serverMicros,
      viewLagMs,
      startP50Ms: percentile(starts, 0.5),
      startP99Ms: percentile(starts, 0.99),
      masterMiB,
      serverMiB: server === null ? Number.NaN : residentMiB(server.pid),
    };
  });
}

/** Resolves once the documents of a store with a server of its own are where its journal was when this was called. */
async function viewReached(cluster: BenchCluster, server: TestServer | null): Promise<void> {
  if (server === null) return;
  const { seq } = await createClient({ masters: [cluster.address] }).status();
  const mongodb = new MongoClient(server.uri());
  try {
    const meta = mongodb.db().collection<{ _id: string; seq: number }>("meta");
    while (((await meta.findOne({ _id: "view" }))?.seq ?? 0) < seq) await setTimeout(lookMs);
  } finally {
    await mongodb.close();
  }
}

function medians(runs: readonly StoreFigures[]): StoreFigures {
  const of = (name: keyof StoreFigures) => median(runs.map((run) => run[name]));
  return {
    perSecond: of("perSecond"),
    masterMicros: of("masterMicros"),
    workersMicros: of("workersMicros"),
    serverMicros: of("serverMicros"),
    viewLagMs: of("viewLagMs"),
    startP50Ms: of("startP50Ms"),
    startP99Ms: of("startP99Ms"),
    masterMiB: of("masterMiB"),
    serverMiB: of("serverMiB"),
  };
}

/** One line for each figure and store, with its ratio to the first one. */
export function storeRows(figures: ReadonlyMap<StoreKind, StoreFigures>): readonly [what: string, value: string][] {
  const rows: [string, string][] = [];
  const first = [...figures.values()][0];
  const show = (what: string, name: keyof StoreFigures, unit: string, digits: number): void => {
    for (const [store, one] of figures) {
      if (Number.isNaN(one[name])) continue;
      const ratio = first === undefined || one === first ? Number.NaN : one[name] / first[name];
      const value = `${one[name].toLocaleString("en", { maximumFractionDigits: digits })} ${unit}`;
      rows.push([`${what}, ${store}`, Number.isNaN(ratio) ? value : `${value} (× ${ratio.toFixed(2)})`]);
    }
  };
  show("no-op tasks, submit to success", "perSecond", "tasks/s", 0);
  show("CPU time per task, master", "masterMicros", "µs", 1);
  show("CPU time per task, workers", "workersMicros", "µs", 1);
  show("CPU time per task, the store's server", "serverMicros", "µs", 0);
  show("last success to its document", "viewLagMs", "ms", 0);
  show("submit to start, p50", "startP50Ms", "ms", 1);
  show("submit to start, p99", "startP99Ms", "ms", 1);
  show("master's memory with tasks queued", "masterMiB", "MiB", 0);
  show("the server's memory with tasks queued", "serverMiB", "MiB", 0);
  return rows;
}
