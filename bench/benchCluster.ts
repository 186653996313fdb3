/** A real master and real workers for a measurement, in a folder that goes afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../src/proof/cluster/cluster.ts";

export type BenchCluster = Cluster;

/** Runs `measure` with a fresh cluster; stops its processes and removes its folder whatever happens. */
export async function withCluster<Result>(
  options: { readonly parent: string; readonly workers: number; readonly capacity: number },
  measure: (cluster: BenchCluster) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(options.parent, "outlast-bench-"));
  // A worker at the default level writes two lines per attempt: its own ledger, which the demo reads and nobody here does.
  const workerArguments = ["--log-level", "warn"];
  const cluster = await Cluster.create({ directory, capacity: options.capacity, workerArguments });
  try {
    await cluster.start("master");
    for (let number = 1; number <= options.workers; number += 1) await cluster.start(`worker-${number}`);
    return await measure(cluster);
  } finally {
    await cluster.killAll();
    rmSync(directory, { recursive: true, force: true });
  }
}
