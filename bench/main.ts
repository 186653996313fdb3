/**
 * `npm run bench`: what a cluster of real processes does on this machine, as a table with the store's durability beside each
 * figure. Workers log warnings only. `--help` tells its options.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { installChromium } from "../scripts/browser/install.ts";
import { count } from "../scripts/flags.ts";
import { commaList } from "../src/cli/arguments.ts";
import { createClient } from "../src/sdk/index.ts";
import { measureAdoption } from "./adoption.ts";
import { type BenchCluster, type StoreKind, storeKinds, withCluster } from "./benchCluster.ts";
import { childHeapBytes, countChildrenUnderFire, manyFile, measureChildren } from "./children.ts";
import { measureDashboards, measurePage } from "./dashboards.ts";
import {
  measureBacklog,
  measureExec,
  measureIdleWorkers,
  measureRest,
  measureTakeover,
  measureTicks,
  measureWaitingClients,
} from "./growth.ts";
import { measureHandlers, measureStarts, noopFile } from "./handlers.ts";
import { measureIdleStore } from "./idleStore.ts";
import { measureKeys } from "./keys.ts";
import { measureRescue, measureStartLatency } from "./latency.ts";
import { machineLines } from "./machine.ts";
import { percentile } from "./percentiles.ts";
import { measureStores, storeRows } from "./stores.ts";
import { measureThroughput } from "./throughput.ts";

const parts = [
  "throughput",
  "latency",
  "backlog",
  "growth",
  "handlers",
  "children",
  "idle",
  "adoption",
  "keys",
  "dashboards",
  "stores",
  "peers",
];
/** Of these, only a store on a server of its own has something to show. */
const mongodbParts = ["idle", "adoption"];

interface BenchFlags {
  readonly only: readonly string[];
  readonly store: readonly StoreKind[];
  readonly tasks: number;
  readonly queued: readonly number[];
  readonly idleWorkers: number;
  readonly waiting: number;
  readonly schedules: number;
  readonly kills: number;
  readonly samples: number;
  readonly handlers: number;
  readonly keyed: number;
  readonly storeTasks: number;
  readonly storeQueued: number;
  readonly rounds: number;
  readonly delayed: number;
  readonly documents: number;
  readonly children: number;
  readonly dashboards: number;
  readonly changes: number;
  readonly dir: string;
  readonly json: boolean;
}

const command = new Command("npm run bench --")
  .description("What a cluster of real processes does on this machine, with the store's durability beside each figure.")
  .addOption(new Option("--only <parts...>", "which parts").choices(parts).default(parts))
  .addOption(
    new Option("--store <stores...>", "on which stores, one after the other").choices(storeKinds).default(["sqlite"]),
  )
  .option("--tasks <n>", "tasks of the throughput run", count, 200_000)
  .option("--queued <n,n>", "tasks that wait in the part backlog", countList, [100_000, 1_000_000])
  .option("--idle-workers <n>", "workers with nothing to do", count, 1_000)
  .option("--waiting <n>", "clients that wait for a task each", count, 200)
  .option("--schedules <n>", "schedules that are due at one instant", count, 10_000)
  .option("--kills <n>", "workers that are killed", count, 20)
  .option("--samples <n>", "tasks whose start is timed", count, 300)
  .option("--handlers <n>", "no-op handlers of a run in processes; five times as many inline", count, 20_000)
  .option("--keyed <n>", "tasks that wait behind concurrency keys", count, 100_000)
  .option("--delayed <n>", "delayed tasks while MongoDB's server is watched for a minute", count, 500_000)
  .option("--documents <n>", "documents that are adopted from MongoDB", count, 100_000)
  .option("--children <n>", "children of one task", count, 1_000_000)
  .option("--store-tasks <n>", "tasks of each run of the part stores", count, 20_000)
  .option("--store-queued <n>", "tasks that wait at the end of each of them, while memory is measured", count, 20_000)
  .option("--rounds <n>", "how often the part stores measures each store, in turn", count, 3)
  .option("--dashboards <n>", "dashboards that are open", count, 100)
  .option("--changes <n>", "changes of tasks in a second meanwhile", count, 1_000)
  .option("--dir <folder>", "its disk is what is measured", tmpdir())
  .option("--json", "the figures as one JSON document", false)
  .parse();
const flags = command.opts<BenchFlags>();

function countList(text: string): readonly number[] {
  return commaList(text).map(count);
}

interface Figure {
  readonly what: string;
  readonly value: string;
  readonly durability: string;
  /** The machine's load average of the last minute when the figure was there: above its cores, others had their share. */
  readonly load: number;
}

const figures: Figure[] = [];
const parent = flags.dir;

function note(what: string, value: string, durability: string): void {
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  figures.push({ what, value, durability, load });
  if (!flags.json) console.error(`${what}: ${value} (load ${load})`);
}

async function durabilityOf(cluster: BenchCluster): Promise<string> {
  const { store, durability } = await createClient({ masters: [...cluster.masters.keys()] }).status();
  return `${store.split(" ")[0]}: ${durability}`;
}

const measurements: { readonly [name: string]: (store: StoreKind) => Promise<void> } = {
  throughput: (store) =>
    withCluster({ parent, store, workers: 3, capacity: 1000 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      await measureThroughput(cluster, 20_000);
      const { tasks, seconds, perSecond, cpuMicros } = await measureThroughput(cluster, flags.tasks);
      const rate = `${whole(perSecond)} tasks/s (${whole(tasks)} in ${seconds.toFixed(1)} s)`;
      note("no-op tasks, submit to success, 3 workers, batched submits", rate, durability);
      const { master, workers, client } = cpuMicros;
      const cpu = `master ${master.toFixed(1)} µs, workers ${workers.toFixed(1)} µs, client ${client.toFixed(1)} µs`;
      note("CPU time per task", cpu, durability);
    }),

  latency: (store) =>
    withCluster({ parent, store, workers: 3, capacity: 10 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      await measureStartLatency(cluster, 50);
      const starts = await measureStartLatency(cluster, flags.samples);
      note("submit to start seen by the client, low load", range(starts), durability);
      const rescues = await measureRescue(cluster, flags.kills);
      const rescue = `p50 ${percentile(rescues, 0.5).toFixed(0)} ms, max ${percentile(rescues, 1).toFixed(0)} ms`;
      note("SIGKILL of a worker to its task running elsewhere", rescue, durability);
    }),

  handlers: async (store) => {
    const { coldMs, warmMs } = await measureStarts(10, flags.samples);
    note("handler in a new process, from its spawn to its end", range(coldMs), "none");
    note("handler in a warm process, from its start to its end", range(warmMs), "none");
    const workerArguments = ["--tasks", noopFile];
    await withCluster({ parent, workers: 3, capacity: 16, store, workerArguments }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      await measureHandlers(cluster, flags.handlers, false);
      const perSecond = await measureHandlers(cluster, flags.handlers, false);
      note("no-op handlers in processes, 3 workers of 16 slots", `${whole(perSecond)} tasks/s`, durability);
    });
    await withCluster({ parent, workers: 3, capacity: 1000, store, workerArguments }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      await measureHandlers(cluster, 10_000, true);
      const perSecond = await measureHandlers(cluster, 5 * flags.handlers, true);
      note("no-op handlers inline, 3 workers", `${whole(perSecond)} tasks/s`, durability);
    });
  },

  children: async (store) => {
    const { children: count } = flags;
    const what = `${whole(count)} children of one task`;
    const heap = `${whole(childHeapBytes(count))} bytes of heap each`;
    note(`${what}, unfinished, in the core of a leader`, heap, "none");
    const options = { parent, store, capacity: 10, workers: 3, workerArguments: ["--tasks", manyFile] };
    await withCluster(options, async (cluster) => {
      const durability = await durabilityOf(cluster);
      const { seconds, quietMs, latenciesMs, residentBytesPerChild } = await measureChildren(cluster, count);
      note(`${what}, made by one handler`, `${whole(count / seconds)}/s (${seconds.toFixed(1)} s)`, durability);
      note("submit to start of other tasks meanwhile", range(latenciesMs), durability);
      note("submit to start of tasks just before", range(quietMs), durability);
      note("growth of the master's resident set", `${whole(residentBytesPerChild)} bytes for each child`, durability);
    });
    await withCluster(options, async (cluster) => {
      const durability = await durabilityOf(cluster);
      const { seconds, once, children } = await countChildrenUnderFire(cluster, count);
      const found = `${whole(once)} of ${whole(count)} indices have one child, ${whole(children)} children (${seconds.toFixed(1)} s)`;
      note(`${what}, leader and worker killed meanwhile`, found, durability);
    });
  },

  backlog: async (store) => {
    for (const queued of flags.queued) {
      const what = `${whole(queued)} tasks queued`;
      await withCluster({ parent, store, workers: 0, capacity: 1_000 }, async (cluster) => {
        const durability = await durabilityOf(cluster);
        const { residentMiB, startSeconds, perSecond } = await measureBacklog(cluster, queued, 50_000);
        note(`master's memory with ${what}`, `${whole(residentMiB)} MiB resident`, durability);
        note(`start of a master alone until it commits, ${what}`, `${startSeconds.toFixed(1)} s`, durability);
        note(`no-op tasks, 50,000 of them while there were ${what}`, `${whole(perSecond)} tasks/s`, durability);
      });
      await withCluster({ parent, store, masters: ["one", "other"], workers: 0, capacity: 1 }, async (cluster) => {
        const tookMs = await measureTakeover(cluster, queued);
        note(
          `SIGKILL of the leader until its standby commits, ${what}`,
          `${whole(tookMs)} ms`,
          await durabilityOf(cluster),
        );
      });
    }
  },

  growth: async (store) => {
    await withCluster({ parent, store, workers: 3, capacity: 1_000 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      const rest = await measureRest(cluster);
      const quiet = `${share(rest.coreShare)} of a core, ${rest.entriesWritten} entries in 30 s`;
      note("master at rest with 3 workers", quiet, durability);
      const { rate, cpu } = await measureWaitingClients(cluster, flags.waiting, 60_000);
      const costs = `rate ${share(rate)}, master's CPU time per task ${share(cpu)}`;
      note(`no-op tasks beside ${whole(flags.waiting)} waiting clients, by without`, costs, durability);
    });
    await withCluster({ parent, store, workers: 0, capacity: 1 }, async (cluster) => {
      const { coreShare, mebibytes } = await measureIdleWorkers(cluster, flags.idleWorkers);
      const costs = `${share(coreShare)} of a core, ${whole(mebibytes)} MiB`;
      note(`${whole(flags.idleWorkers)} idle workers, in the master`, costs, await durabilityOf(cluster));
    });
    await withCluster({ parent, store, workers: 3, capacity: 1_000 }, async (cluster) => {
      const lastMs = await measureTicks(cluster, flags.schedules);
      const what = `${whole(flags.schedules)} schedules due at one instant, until the last task was started`;
      note(what, `${(lastMs / 1_000).toFixed(2)} s`, await durabilityOf(cluster));
    });
    await withCluster({ parent, store, workers: 3, capacity: 16 }, async (cluster) => {
      await measureExec(cluster, 1_000);
      const perSecond = await measureExec(cluster, 6_000);
      note("commands (true), 3 workers of 16 slots", `${whole(perSecond)} tasks/s`, await durabilityOf(cluster));
    });
  },

  dashboards: (store) =>
    withCluster({ parent, store, workers: 1, capacity: 200 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      const { dashboards, changes } = flags;
      const meanwhile = `${whole(changes)} changes/s`;
      const costs = await measureDashboards(cluster, dashboards, changes);
      const more = `${share(costs.busyShare - costs.quietShare)} of a core more than ${share(costs.quietShare)}`;
      const calls = `${whole(costs.callsPerSecond)} calls/s, ${whole(costs.bytesPerSecond / 1_000)} kB/s`;
      const made = `${whole(costs.changesPerSecond)} changes/s`;
      note(`master with ${whole(dashboards)} open dashboards`, `${more}; ${calls}, ${made}`, durability);
      const chromium = await installChromium().catch(() => null);
      if (chromium === null) return note("pages", "not measured: Chromium is missing", "none");
      for (const path of ["/", "/tasks", "/timeline"]) {
        const page = await measurePage(cluster, chromium, path, changes);
        const frames = `${page.framesPerSecond.toFixed(0)} frames/s, the longest ${page.longestFrameMs.toFixed(0)} ms`;
        const rest = `${(page.heapBytes / 1e6).toFixed(1)} MB, ${page.callsPerSecond.toFixed(1)} calls/s`;
        note(`page ${path}, ${meanwhile}`, `main thread ${share(page.mainShare)}, ${frames}, ${rest}`, "none");
      }
    }),

  idle: (store) =>
    withCluster(
      { parent, store, masters: ["master-1", "master-2"], workers: 0, capacity: 1 },
      async (cluster, server) => {
        if (server === null) return;
        const seconds = 60;
        const { coreShare, requestsPerSecond, entriesWritten } = await measureIdleStore(
          cluster,
          server,
          flags.delayed,
          seconds,
        );
        const value = `${(coreShare * 100).toFixed(1)} % of a core, ${requestsPerSecond.toFixed(0)} requests/s, ${entriesWritten} entries in ${seconds} s`;
        note(`idle server with ${whole(flags.delayed)} delayed tasks`, value, await durabilityOf(cluster));
      },
    ),

  adoption: (store) =>
    withCluster({ parent, store, workers: 2, capacity: 10 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      const { quiet, busy, documentsPerSecond } = await measureAdoption(cluster, flags.documents, flags.samples);
      const range = (times: readonly number[]) =>
        `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`;
      note("submit to start, before documents are adopted", range(quiet), durability);
      const rate = `${range(busy)} (${whole(documentsPerSecond)} documents/s)`;
      note(`submit to start while ${whole(flags.documents)} documents are adopted`, rate, durability);
    }),
};

const isOnlyGiven = command.getOptionValueSource("only") !== "default";
const unfitting = flags.only.filter((name) => mongodbParts.includes(name));
if (isOnlyGiven && unfitting.length > 0 && !flags.store.includes("mongodb"))
  command.error(`The part ${unfitting[0]} needs --store mongodb.`);
if (!flags.json) for (const line of machineLines(parent)) console.error(line);
for (const name of flags.only) {
  const fitting = flags.store.filter((store) => store === "mongodb" || !mongodbParts.includes(name));
  for (const store of fitting) await measurements[name]?.(store);
}
if (flags.only.includes("keys")) noteKeys();
if (flags.only.includes("stores")) await noteStores();

if (flags.json) console.log(JSON.stringify({ node: process.version, cores: availableParallelism(), figures }));
else print();
if (flags.only.includes("peers") && !flags.json) measurePeers();

/** The leader's state machine alone: no store has a part in it. */
function noteKeys(): void {
  const { dispatchRate, idleCost } = measureKeys(flags.keyed, 50_000, 5);
  note(`dispatch rate of other tasks, ${whole(flags.keyed)} behind a key that is used up`, share(dispatchRate), "none");
  note(`CPU time of 1,000 idle workers, ${whole(flags.keyed)} different keys waiting`, share(idleCost), "none");
}

/** Every store that there is, whatever `--store` says: the one beside the other is what this part is for. */
async function noteStores(): Promise<void> {
  const { storeTasks: tasks, storeQueued: queued, rounds, samples } = flags;
  const figures = await measureStores({ parent, stores: storeKinds, tasks, queued, rounds, samples });
  const how = `median of ${whole(rounds)} in turn, ${whole(tasks)} tasks, ${whole(queued)} queued`;
  for (const [what, value] of storeRows(figures)) note(what, value, how);
}

/** Of times in ms, ascending. */
function range(times: readonly number[]): string {
  return `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`;
}

function share(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function print(): void {
  const width = Math.max(...figures.map((figure) => figure.what.length));
  const valueWidth = Math.max(...figures.map((figure) => figure.value.length));
  console.log(
    `\nNode ${process.version}, ${availableParallelism()} cores, everything on this one machine, workers at --log-level warn\n`,
  );
  for (const { what, value, durability, load } of figures) {
    console.log(`${what.padEnd(width)}  ${value.padEnd(valueWidth)}  ${durability}  (load ${load})`);
  }
}

/** In a process of its own, since the packages of the peers need not be there. */
function measurePeers(): void {
  const folder = fileURLToPath(new URL("./peers/", import.meta.url));
  if (!existsSync(`${folder}node_modules`)) {
    console.log("\nOther queues were not measured. Their packages are missing: npm install --prefix bench/peers");
    return;
  }
  console.log("");
  spawnSync(process.execPath, [`${folder}main.ts`, "--dir", parent], { stdio: "inherit" });
}
