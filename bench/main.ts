/**
 * `npm run bench`: what a cluster of real processes does on this machine, as a table with the store's durability beside each
 * figure. Workers log warnings only. Options: `--only throughput|latency|memory`, `--tasks 200000`, `--queued 100000,1000000`,
 * `--kills 20`, `--samples 300`, `--dir FOLDER` (its disk is what is measured), `--json`.
 */
import { availableParallelism, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { createClient } from "../src/sdk/index.ts";
import { type BenchCluster, withCluster } from "./benchCluster.ts";
import { measureRescue, measureStartLatency, percentile } from "./latency.ts";
import { measureMemory } from "./memory.ts";
import { measureThroughput } from "./throughput.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: ["throughput", "latency", "memory"] },
    tasks: { type: "string", default: "200000" },
    queued: { type: "string", default: "100000,1000000" },
    kills: { type: "string", default: "20" },
    samples: { type: "string", default: "300" },
    dir: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
  },
});

interface Figure {
  readonly what: string;
  readonly value: string;
  readonly durability: string;
}

const figures: Figure[] = [];
const parent = values.dir;

function note(what: string, value: string, durability: string): void {
  figures.push({ what, value, durability });
  if (!values.json) console.error(`${what}: ${value}`);
}

async function durabilityOf(cluster: BenchCluster): Promise<string> {
  const { store, durability } = await createClient({ masters: [cluster.address] }).status();
  return `${store.split(" ")[0]}: ${durability}`;
}

const measurements: { readonly [name: string]: () => Promise<void> } = {
  throughput: () =>
    withCluster({ parent, workers: 3, capacity: 1000 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      await measureThroughput(cluster, 20_000);
      const { tasks, seconds, perSecond, cpuMicros } = await measureThroughput(cluster, Number(values.tasks));
      const rate = `${whole(perSecond)} tasks/s (${whole(tasks)} in ${seconds.toFixed(1)} s)`;
      note("no-op tasks, submit to success, 3 workers, batched submits", rate, durability);
      const { master, workers, client } = cpuMicros;
      const cpu = `master ${master.toFixed(1)} µs, workers ${workers.toFixed(1)} µs, client ${client.toFixed(1)} µs`;
      note("CPU time per task", cpu, durability);
    }),

  latency: () =>
    withCluster({ parent, workers: 3, capacity: 10 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      await measureStartLatency(cluster, 50);
      const starts = await measureStartLatency(cluster, Number(values.samples));
      const start = `p50 ${percentile(starts, 0.5).toFixed(1)} ms, p99 ${percentile(starts, 0.99).toFixed(1)} ms`;
      note("submit to start seen by the client, low load", start, durability);
      const rescues = await measureRescue(cluster, Number(values.kills));
      const rescue = `p50 ${percentile(rescues, 0.5).toFixed(0)} ms, max ${percentile(rescues, 1).toFixed(0)} ms`;
      note("SIGKILL of a worker to its task running elsewhere", rescue, durability);
    }),

  memory: () =>
    withCluster({ parent, workers: 0, capacity: 1 }, async (cluster) => {
      const durability = await durabilityOf(cluster);
      for (const queued of values.queued.split(",").map(Number)) {
        const mebibytes = await measureMemory(cluster, queued);
        note(`master's memory with ${whole(queued)} tasks queued`, `${whole(mebibytes)} MiB resident`, durability);
      }
    }),
};

for (const name of values.only) {
  const measure = measurements[name];
  if (measure === undefined) throw new Error(`--only takes ${Object.keys(measurements).join(", ")}; not ${name}.`);
  await measure();
}

if (values.json) console.log(JSON.stringify({ node: process.version, cores: availableParallelism(), figures }));
else print();

function whole(number: number): string {
  return Math.round(number).toLocaleString("en");
}

function print(): void {
  const width = Math.max(...figures.map((figure) => figure.what.length));
  const valueWidth = Math.max(...figures.map((figure) => figure.value.length));
  console.log(
    `\nNode ${process.version}, ${availableParallelism()} cores, everything on this one machine, workers at --log-level warn\n`,
  );
  for (const { what, value, durability } of figures) {
    console.log(`${what.padEnd(width)}  ${value.padEnd(valueWidth)}  ${durability}`);
  }
}
