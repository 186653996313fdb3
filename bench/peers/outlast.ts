/** Outlast as one of the queues that are measured side by side: a master on SQLite and three workers, as users start them. */
import { fileURLToPath } from "node:url";
import { createClient, type Outlast } from "../../src/sdk/index.ts";
import { type BenchCluster, openCluster } from "../benchCluster.ts";
import { cpuMs } from "../processFigures.ts";
import { type Contender, workerCount } from "./contender.ts";

const tasksFile = fileURLToPath(new URL("../noopTasks.ts", import.meta.url));

export function outlast(): Contender {
  let cluster: BenchCluster | null = null;
  let client: Outlast | null = null;
  const started = (): Outlast => {
    if (client === null) throw new Error("Outlast has not been started.");
    return client;
  };
  return {
    name: "Outlast on SQLite",
    durability: "WAL, synchronous=FULL",
    async start(directory) {
      const workerArguments = ["--tasks", tasksFile];
      cluster = await openCluster({
        directory,
        store: "sqlite",
        workers: workerCount,
        capacity: 1000,
        workerArguments,
      });
      client = createClient({ masters: [cluster.address] });
    },
    async submit(tasks) {
      await started().submitAll(Array.from({ length: tasks }, () => ({ kind: "sleep", input: { seconds: 0 } })));
    },
    async submitTimed(timing) {
      await started().submit({ kind: "timed-inline", input: { ...timing } });
    },
    async countOpen() {
      const { tasks } = (await started().status()).stats;
      return Object.entries(tasks).reduce((sum, [state, count]) => (state === "success" ? sum : sum + (count ?? 0)), 0);
    },
    cpuMs: () => (cluster?.names() ?? []).reduce((sum, name) => sum + cpuMs(cluster?.pid(name) ?? null), 0),
    async stop() {
      await cluster?.killAll();
    },
  };
}
