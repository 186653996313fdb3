/** BullMQ on a Redis that syncs its append-only file before it answers. */
import { type ChildProcess, spawn } from "node:child_process";
import { Queue } from "bullmq";
import { findFreePort } from "../../src/cli/freePort.ts";
import { familyCpuMs } from "../processFigures.ts";
import { type Contender, end, startWorkers, waitFor } from "./contender.ts";

export const queueName = "bench";

/** @param processors whether they run in the worker's own process, or sandboxed, in processes that the worker keeps */
export async function bullmq(processors: "in-process" | "sandboxed"): Promise<Contender> {
  const port = await findFreePort();
  let server: ChildProcess | null = null;
  let queue: Queue | null = null;
  let workers: readonly ChildProcess[] = [];
  const started = (): Queue => {
    if (queue === null) throw new Error("Redis has not been started.");
    return queue;
  };
  return {
    name: `BullMQ 6, ${processors} processors`,
    durability: "Redis, appendonly yes, appendfsync always",
    async start(directory) {
      const settings = [
        "--save",
        "",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--maxmemory-policy",
        "noeviction",
      ];
      const where = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory];
      server = spawn("redis-server", [...where, ...settings], { stdio: ["ignore", "pipe", "inherit"] });
      await waitFor(server, "Ready to accept connections");
      queue = new Queue(queueName, { connection: { host: "127.0.0.1", port } });
      await queue.waitUntilReady();
      workers = await startWorkers(`bullmq-${processors}`, String(port));
    },
    async submit(tasks) {
      await started().addBulk(Array.from({ length: tasks }, () => ({ name: "no-op", data: { seconds: 0 } })));
    },
    async submitTimed(timing) {
      await started().add("timed", timing);
    },
    cpuMs: () => [server, ...workers].reduce((sum, child) => sum + familyCpuMs(child?.pid ?? 0), 0),
    async countOpen() {
      const counts = await started().getJobCounts("waiting", "active", "delayed", "prioritized", "failed");
      const { failed = 0, ...open } = counts;
      if (failed > 0) throw new Error(`${failed} jobs of BullMQ failed.`);
      return Object.values(open).reduce((sum, count) => sum + count, 0);
    },
    async stop() {
      await Promise.all(workers.map(end));
      await queue?.close();
      if (server !== null) await end(server);
    },
  };
}
