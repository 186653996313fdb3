/** One worker process of a peer: does nothing, many times at once, or tells when it started. Started by `contender.ts`. */
import { Worker } from "bullmq";
import { run } from "graphile-worker";
import { queueName } from "./bullmq.ts";
import { processesPerWorker, type Timing } from "./contender.ts";
import processJob, { tellStart } from "./processor.ts";

const [peer, where = ""] = process.argv.slice(2);
switch (peer) {
  case "bullmq-in-process":
    await startBullmq(async (job) => processJob(job), 100);
    break;
  case "bullmq-sandboxed":
    // BullMQ pipes what each process writes into these streams, and Node would warn of so many listeners.
    for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
    // A file instead of a function: each of the jobs that run at once has a process, which is kept for the next job.
    await startBullmq(new URL("processor.ts", import.meta.url), processesPerWorker);
    break;
  default:
    await startGraphileWorker();
}
console.log("ready");

async function startBullmq(processor: ConstructorParameters<typeof Worker>[1], concurrency: number): Promise<void> {
  const connection = { host: "127.0.0.1", port: Number(where), maxRetriesPerRequest: null };
  const worker = new Worker(queueName, processor, { connection, concurrency, useWorkerThreads: false });
  await worker.waitUntilReady();
}

async function startGraphileWorker(): Promise<void> {
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
