/** One worker process of a peer: does nothing, many times at once, or tells when it started. Started by `contender.ts`. */
import { appendFileSync } from "node:fs";
import { Worker } from "bullmq";
import { run } from "graphile-worker";
import { queueName } from "./bullmq.ts";
import type { Timing } from "./contender.ts";

const [peer, where = ""] = process.argv.slice(2);
if (peer === "bullmq") {
  const worker = new Worker(
    queueName,
    async ({ name, data }) => {
      if (name === "timed") tellStart(data);
      return null;
    },
    {
      connection: { host: "127.0.0.1", port: Number(where), maxRetriesPerRequest: null },
      concurrency: 100,
    },
  );
  await worker.waitUntilReady();
} else {
  await run({
    preset: {
      worker: {
        connectionString: where,
        concurrentJobs: 24,
        maxPoolSize: 25,
        // As its manual advises for throughput: jobs fetched and completed in batches.
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
      },
    },
    taskList: { "no-op": () => {}, timed: (payload) => tellStart(payload as Timing) },
    noHandleSignals: true,
  });
}
console.log("ready");

function tellStart({ sentAt, file }: Timing): void {
  appendFileSync(file, `${process.hrtime.bigint() - BigInt(sentAt)}\n`);
}
