/** A real master and real workers for a measurement, in a folder that goes afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TestServer } from "../scripts/mongodb/testServer.ts";
import { Cluster } from "../src/proof/cluster/cluster.ts";

export type BenchCluster = Cluster;

export const storeKinds = ["sqlite", "mongodb"] as const;
export type StoreKind = (typeof storeKinds)[number];

export interface BenchClusterOptions {
  readonly parent: string;
  readonly workers: number;
  readonly capacity: number;
  /** `mongodb` stands for the server that the tests use, on the same machine. */
  readonly store: StoreKind;
  /** More options for `outlast worker`. */
  readonly workerArguments?: readonly string[];
}

/** Runs `measure` with a fresh cluster; stops its processes and removes its folder whatever happens. */
export async function withCluster<Result>(
  options: BenchClusterOptions,
  measure: (cluster: BenchCluster) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(options.parent, "outlast-bench-"));
  // A worker at the default level writes two lines per attempt: its own ledger, which the demo reads and nobody here does.
  const workerArguments = ["--log-level", "warn", "--queues", "default,other", ...(options.workerArguments ?? [])];
  const server = options.store === "mongodb" ? await TestServer.start({ hasTestCommands: false }) : null;
  const cluster = await Cluster.create({
    ...{ directory, capacity: options.capacity, workerArguments },
    ...(server === null ? {} : { environment: { OUTLAST_STORE: server.uri() } }),
  });
  try {
    await cluster.start("master");
    for (let number = 1; number <= options.workers; number += 1) await cluster.start(`worker-${number}`);
    return await measure(cluster);
  } finally {
    await cluster.killAll();
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
