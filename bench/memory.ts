/** What a master weighs with many tasks waiting: its resident set, and what is left of it after a restart. */
import { createClient } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";
import { residentMiB } from "./processFigures.ts";

const batchTasks = 5_000;

/** Fills the queue up to `tasks` and reads the master's resident set, in MiB. */
export async function measureMemory(cluster: BenchCluster, tasks: number): Promise<number> {
  const client = createClient({ masters: [cluster.address] });
  for (;;) {
    const queued = (await client.status()).stats.tasks["created"] ?? 0;
    if (queued >= tasks) break;
    const count = Math.min(batchTasks, tasks - queued);
    await client.submitAll(Array.from({ length: count }, () => ({ kind: "sleep" as const, input: { seconds: 1 } })));
  }
  return residentMiB(cluster.pid("master"));
}
