/** What the server of a MongoDB store does while a cluster waits: a leader and a standby at rest on a store full of delayed tasks. */
import { setTimeout } from "node:timers/promises";
import { MongoClient } from "mongodb";
import type { TestServer } from "../scripts/mongodb/testServer.ts";
import { createClient } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";

/** Small enough for a slow server to commit in time. */
const batchTasks = 1_000;
const retryForMs = 120_000;
const day = 24 * 60 * 60 * 1000;
/** For what follows the last task: its document, a compaction, the standby's slower looks. */
const settleMs = 30_000;
const lookMs = 1_000;

export interface IdleFigures {
  /** CPU time of the server's process by time, 1 for one core. */
  readonly coreShare: number;
  readonly requestsPerSecond: number;
  readonly entriesWritten: number;
}

/** Submits `delayed` tasks, waits until their documents are there, and watches the server for `seconds`. */
export async function measureIdleStore(
  cluster: BenchCluster,
  server: TestServer,
  delayed: number,
  seconds: number,
): Promise<IdleFigures> {
  const client = createClient({ masters: [...cluster.masters.keys()], retryForMs });
  const startAt = Date.now() + day;
  for (let start = 0; start < delayed; start += batchTasks) {
    const count = Math.min(batchTasks, delayed - start);
    await client.submitAll(
      Array.from({ length: count }, () => ({ kind: "sleep" as const, input: { seconds: 0 }, startAt })),
    );
  }
  const mongodb = new MongoClient(server.uri());
  try {
    while ((await mongodb.db().collection("tasks").estimatedDocumentCount()) < delayed) await setTimeout(lookMs);
    await setTimeout(settleMs);
    const look = async () => {
      const answer = (await mongodb.db().admin().serverStatus()) as {
        readonly network: { readonly numRequests: number };
      };
      const { seq } = await client.status();
      return { cpuMs: server.cpuMs(), requests: answer.network.numRequests, seq, at: performance.now() };
    };
    const before = await look();
    await setTimeout(seconds * 1_000);
    const after = await look();
    const tookMs = after.at - before.at;
    return {
      coreShare: (after.cpuMs - before.cpuMs) / tookMs,
      requestsPerSecond: ((after.requests - before.requests) / tookMs) * 1_000,
      entriesWritten: after.seq - before.seq,
    };
  } finally {
    await mongodb.close();
  }
}
