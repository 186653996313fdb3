/** Durable no-op tasks per second, from the first submit to the last success, with batched submits and three workers. */
import { createClient } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";

export interface Throughput {
  readonly tasks: number;
  readonly seconds: number;
  readonly perSecond: number;
}

const batchTasks = 5_000;
/** Batches on their way at once: enough to keep the master busy, few enough to let it answer in time. */
const inFlight = 4;

export async function measureThroughput(cluster: BenchCluster, tasks: number): Promise<Throughput> {
  const client = createClient({ masters: [cluster.address] });
  const before = (await client.status()).stats.tasks["success"] ?? 0;
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
  return { tasks, seconds, perSecond: tasks / seconds };
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
