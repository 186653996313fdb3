/** A real master and real workers for a measurement, in a folder that goes afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TestServer } from "../scripts/mongodb/testServer.ts";
import { Cluster } from "../src/proof/cluster/cluster.ts";

export type BenchCluster = Cluster;

export const storeKinds = ["sqlite", "mongodb"] as const;
export type StoreKind = (typeof storeKinds)[number];

export interface BenchClusterOptions {
  /** Logs, stores and outboxes go here. */
  readonly directory: string;
  readonly workers: number;
  readonly capacity: number;
  /** `mongodb` stands for the server that the tests use, on the same machine. */
  readonly store: StoreKind;
  /** Where the store is, if it is not in the folder. */
  readonly storeUri?: string;
  /** Whether the server of the store has each commit on the disk before it answers, as SQLite has. */
  readonly isServerSynced?: boolean;
  /** `master` alone if left out. */
  readonly masters?: readonly string[];
  /** More options for `outlast worker`. */
  readonly workerArguments?: readonly string[];
}

/**
 * Runs `measure` with a fresh cluster, and with the server of its store where that is one. Stops its processes and removes its
 * folder whatever happens.
 */
export async function withCluster<Result>(
  options: Omit<BenchClusterOptions, "directory"> & { readonly parent: string },
  measure: (cluster: BenchCluster, server: TestServer | null) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(options.parent, "outlast-bench-"));
  const { isServerSynced: isSynced = false } = options;
  const server = options.store === "mongodb" ? await TestServer.start({ hasTestCommands: false, isSynced }) : null;
  try {
    const cluster = await openCluster({ ...options, directory, ...(server !== null && { storeUri: server.uri() }) });
    try {
      return await measure(cluster, server);
    } finally {
      await cluster.killAll();
    }
  } finally {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Masters and workers; whoever opens them must call `killAll`. */
export async function openCluster(options: BenchClusterOptions): Promise<BenchCluster> {
  const { directory, capacity, storeUri, masters = ["master"] } = options;
  // A worker at the default level writes two lines per attempt: its own ledger, which the demo reads and nobody here does.
  const workerArguments = ["--log-level", "warn", "--queues", "default,other", ...(options.workerArguments ?? [])];
  const cluster = await Cluster.create({
    ...{ directory, capacity, masters, workerArguments },
    ...(storeUri !== undefined && { environment: { OUTLAST_STORE: storeUri } }),
  });
  try {
    for (const master of masters) await cluster.start(master);
    for (let number = 1; number <= options.workers; number += 1) await cluster.start(`worker-${number}`);
    return cluster;
  } catch (error) {
    await cluster.killAll();
    throw error;
  }
}
