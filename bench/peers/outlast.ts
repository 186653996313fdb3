/** Outlast as one of the queues that are measured side by side: a master on SQLite and three workers, as users start them. */
import { fileURLToPath } from "node:url";
import { createClient, type Outlast } from "../../src/sdk/index.ts";
import { type BenchCluster, openCluster } from "../benchCluster.ts";
import { familyCpuMs } from "../processFigures.ts";
import { type Contender, processesPerWorker, workerCount } from "./contender.ts";

const tasksFile = fileURLToPath(new URL("../noopTasks.ts", import.meta.url));

/** What the tasks are: the built-in kind `sleep`, handlers in the worker's own process, or handlers in processes. */
export type OutlastTasks = "sleep" | "inline" | "processes";

interface TaskKinds {
  readonly name: string;
  /** How many tasks a worker runs at a time. */
  readonly capacity: number;
  readonly noop: { readonly kind: string; readonly input: { readonly seconds: 0 } | null };
  readonly timed: string;
}

const taskKinds: { readonly [tasks in OutlastTasks]: TaskKinds } = {
  sleep: {
    name: "Outlast, built-in sleep",
    capacity: 1000,
    noop: { kind: "sleep", input: { seconds: 0 } },
    timed: "timed-inline",
  },
  inline: {
    name: "Outlast, inline handlers",
    capacity: 1000,
    noop: { kind: "noop-inline", input: null },
    timed: "timed-inline",
  },
  processes: {
    name: "Outlast, handlers in processes",
    capacity: processesPerWorker,
    noop: { kind: "noop", input: null },
    timed: "timed",
  },
};

export function outlast(tasks: OutlastTasks): Contender {
  const { name, capacity, noop, timed } = taskKinds[tasks];
  let cluster: BenchCluster | null = null;
  let client: Outlast | null = null;
  const started = (): Outlast => {
    if (client === null) throw new Error("Outlast has not been started.");
    return client;
  };
  return {
    name,
    durability: "SQLite, WAL, synchronous=FULL",
    async start(directory) {
      const workerArguments = ["--tasks", tasksFile];
      cluster = await openCluster({
        directory,
        store: "sqlite",
        workers: workerCount,
        capacity,
        workerArguments,
      });
      client = createClient({ masters: [cluster.address] });
    },
    async submit(count) {
      await started().submitAll(Array.from({ length: count }, () => noop));
    },
    async submitTimed(timing) {
      await started().submit({ kind: timed, input: { ...timing } });
    },
    async countOpen() {
      const { stats } = await started().status();
      return Object.entries(stats.tasks).reduce(
        (sum, [state, count]) => (state === "success" ? sum : sum + (count ?? 0)),
        0,
      );
    },
    cpuMs: () => (cluster?.names() ?? []).reduce((sum, process) => sum + familyCpuMs(cluster?.pid(process) ?? 0), 0),
    async stop() {
      await cluster?.killAll();
    },
  };
}
