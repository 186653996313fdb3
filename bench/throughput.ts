/** Durable no-op tasks per second, from the first submit to the last success, with batched submits and three workers. */
import { createClient } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";
import { cpuMs } from "./processFigures.ts";

export interface Throughput {
  readonly tasks: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** CPU time for one task, in µs: tells more than the clock where other programs share the machine. */
  readonly cpuMicros: { readonly master: number; readonly workers: number; readonly client: number };
}

const batchTasks = 5_000;
/** Batches on their way at once: enough to keep the master busy, few enough to let it answer in time. */
const inFlight = 4;

export async function measureThroughput(cluster: BenchCluster, tasks: number): Promise<Throughput> {
  const client = createClient({ masters: [cluster.address] });
  const before = (await client.status()).stats.tasks["success"] ?? 0;
  const cpuBefore = cpuOf(cluster);
  const startedAt = performance.now();
  let submitted = 0;
  const submitter = async (): Promise<void> => {
    while (submitted < tasks) {
      const count = Math.min(batchTasks, tasks - submitted);
      submitted += count;
      await client.submitAll(Array.from({ length: count }, () => ({ kind: "sleep" as const, input: { seconds: 0 } })));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, submitter));
  while (((await client.status()).stats.tasks["success"] ?? 0) - before < tasks) await tick();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = cpuOf(cluster);
  const micros = (part: keyof typeof cpu) => ((cpu[part] - cpuBefore[part]) * 1000) / tasks;
  return {
    tasks,
    seconds,
    perSecond: tasks / seconds,
    cpuMicros: { master: micros("master"), workers: micros("workers"), client: micros("client") },
  };
}

function cpuOf(cluster: BenchCluster): { master: number; workers: number; client: number } {
  const sum = (names: readonly string[]) => names.reduce((total, name) => total + cpuMs(cluster.pid(name)), 0);
  const workers = cluster.names().filter((name) => name !== "master");
  return { master: sum(["master"]), workers: sum(workers), client: cpuMs(process.pid) };
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
