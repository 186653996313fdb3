/** How soon other tasks start while a leader adopts what somebody has put into MongoDB. */
import { MongoClient } from "mongodb";
import { createClient } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";
import { measureStartLatency } from "./latency.ts";

const documentsPerInsert = 1_000;
const tasksPerLook = 20;

export interface AdoptionFigures {
  /** Submit to start of tasks in another queue, in ms, ascending: before, and while documents were adopted. */
  readonly quiet: readonly number[];
  readonly busy: readonly number[];
  readonly documentsPerSecond: number;
}

/** The adopted tasks' queue is paused, so that adopting them is all that is done with them. */
export async function measureAdoption(
  cluster: BenchCluster,
  documents: number,
  samples: number,
): Promise<AdoptionFigures> {
  const client = createClient({ masters: [cluster.address] });
  const { store } = await client.status();
  await measureStartLatency(cluster, tasksPerLook, "other");
  const quiet = await measureStartLatency(cluster, samples, "other");
  const mongodb = new MongoClient(`${store.replace("mongodb ", "mongodb://")}?directConnection=true`);
  try {
    const tasks = mongodb.db().collection("tasks");
    await client.pause("default");
    for (let start = 0; start < documents; start += documentsPerInsert) {
      const some = Array.from({ length: Math.min(documentsPerInsert, documents - start) }, (_, index) => ({
        taskname: `adopted-${start + index}`,
        sleeptime: 1,
        state: "created",
      }));
      await tasks.insertMany(some, { ordered: false });
    }
    const left = () => tasks.countDocuments({ "outlast.state": null });
    const before = await left();
    const startedAt = performance.now();
    const busy: number[] = [];
    do busy.push(...(await measureStartLatency(cluster, tasksPerLook, "other")));
    while ((await left()) > 0);
    const tookMs = performance.now() - startedAt;
    return { quiet, busy: busy.sort((a, b) => a - b), documentsPerSecond: (before / tookMs) * 1_000 };
  } finally {
    await mongodb.close();
  }
}
