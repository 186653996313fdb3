/**
 * `npm run bench:peers`: the throughput of `npm run bench`, measured in the same way with other queues on this machine. Their
 * packages stand in `bench/peers/package.json`, so that they never become Outlast's own: `npm install --prefix bench/peers`
 * first. Redis and PostgreSQL are expected from the system's packages. `--help` tells its options.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { count } from "../../scripts/flags.ts";
import { withCluster } from "../benchCluster.ts";
import { cpuMs, familyCpuMs } from "../processFigures.ts";
import { measureThroughput } from "../throughput.ts";
import { end, type Peer, startWorkers } from "./peer.ts";

const contenders = ["outlast", "bullmq", "graphile-worker"];

interface PeerFlags {
  readonly only: readonly string[];
  readonly tasks: number;
  readonly dir: string;
}

const flags = new Command("npm run bench:peers --")
  .description("The throughput of other queues on this machine, measured in the same way, one after the other.")
  .addOption(new Option("--only <names...>", "which of them").choices(contenders).default(contenders))
  .option("--tasks <n>", "tasks of each run", count, 100_000)
  .option("--dir <folder>", "its disk is what is measured", tmpdir())
  .parse()
  .opts<PeerFlags>();

const { tasks } = flags;
const batchTasks = 5_000;
const inFlight = 4;
const workers = 3;

console.log(
  `${tasks} durable no-op tasks, ${workers} worker processes, ${availableParallelism()} cores, Node ${process.version}\n`,
);
for (const name of flags.only) {
  if (name === "outlast") await measureOutlast();
  else await measurePeer(await peerOf(name));
}

async function measureOutlast(): Promise<void> {
  await withCluster({ parent: flags.dir, store: "sqlite", workers, capacity: 1000 }, async (cluster) => {
    await measureThroughput(cluster, tasks / 10);
    const { perSecond, cpuMicros } = await measureThroughput(cluster, tasks);
    const { master, workers: others, client } = cpuMicros;
    tell("Outlast on SQLite", perSecond, master + others + client, "WAL, synchronous=FULL");
  });
}

async function measurePeer(peer: Peer): Promise<void> {
  const directory = mkdtempSync(join(flags.dir, "outlast-peer-"));
  chmodSync(directory, 0o755);
  await peer.start(directory);
  const running = await startWorkers(peer, workers);
  try {
    await drain(peer, tasks / 10);
    const pids = [process.pid, peer.serverPid(), ...running.map(({ pid }) => pid ?? 0)];
    const cpu = () => pids.reduce((sum, pid) => sum + (pid === process.pid ? cpuMs(pid) : familyCpuMs(pid)), 0);
    const cpuBefore = cpu();
    const startedAt = performance.now();
    await drain(peer, tasks);
    const perSecond = (tasks / (performance.now() - startedAt)) * 1000;
    tell(peer.name, perSecond, ((cpu() - cpuBefore) * 1000) / tasks, peer.durability);
  } finally {
    await Promise.all(running.map(end));
    await peer.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** From the first submit to the last task done. */
async function drain(peer: Peer, count: number): Promise<void> {
  let submitted = 0;
  const submitter = async (): Promise<void> => {
    while (submitted < count) {
      const size = Math.min(batchTasks, count - submitted);
      submitted += size;
      await peer.submit(size);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitter));
  while ((await peer.countOpen()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function peerOf(name: string): Promise<Peer> {
  try {
    if (name === "bullmq") return await (await import("./bullmq.ts")).bullmq();
    if (name === "graphile-worker") return await (await import("./graphileWorker.ts")).graphileWorker();
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    throw isMissing ? new Error("The peers' packages are missing: npm install --prefix bench/peers") : error;
  }
  throw new Error(`There is no peer called ${name}.`);
}

/** @param cpuMicros CPU time for one task, of server, workers and client together */
function tell(name: string, perSecond: number, cpuMicros: number, durability: string): void {
  const rate = `${Math.round(perSecond).toLocaleString("en").padStart(8)} tasks/s`;
  console.log(`${name.padEnd(36)}${rate}  ${cpuMicros.toFixed(0).padStart(5)} µs of CPU per task  ${durability}`);
}
