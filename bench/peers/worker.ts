/** One worker process of a peer: does nothing, many times at once. Started by `peer.ts`. */
import { Worker } from "bullmq";
import { run } from "graphile-worker";
import { queueName } from "./bullmq.ts";

const [peer, where = ""] = process.argv.slice(2);
if (peer === "bullmq") {
  const worker = new Worker(queueName, async () => null, {
    connection: { host: "127.0.0.1", port: Number(where), maxRetriesPerRequest: null },
    concurrency: 100,
  });
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
    taskList: { "no-op": () => {} },
    noHandleSignals: true,
  });
}
console.log("ready");
