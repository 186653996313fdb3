/**
 * How soon other tasks start while a leader adopts what somebody has put into MongoDB: `node bench/mongodbAdoption.ts [documents] [samples]`.
 * One master, one worker, everything on this machine.
 */

import { tmpdir } from "node:os";
import { MongoClient } from "mongodb";
import { createClient } from "../src/sdk/index.ts";
import { withCluster } from "./benchCluster.ts";
import { measureStartLatency, percentile } from "./latency.ts";

const documents = Number(process.argv[2] ?? 100_000);
const samples = Number(process.argv[3] ?? 200);

await withCluster({ parent: tmpdir(), store: "mongodb", workers: 2, capacity: 10 }, async (cluster) => {
  const client = createClient({ masters: [cluster.address] });
  const { store } = await client.status();
  const address = store.replace("mongodb ", "mongodb://");
  await measureStartLatency(cluster, 20, "other");
  const quiet = await measureStartLatency(cluster, samples, "other");
  const mongodb = new MongoClient(`${address}?directConnection=true`);
  const tasks = mongodb.db().collection("tasks");
  // Paused, so that adopting them is all that is done with them.
  await client.pause("default");
  const insertedAt = performance.now();
  for (let start = 0; start < documents; start += 1_000) {
    const some = Array.from({ length: Math.min(1_000, documents - start) }, (_, index) => ({
      taskname: `adopted-${start + index}`,
      sleeptime: 1,
      state: "created",
    }));
    await tasks.insertMany(some, { ordered: false });
  }
  console.log(`${documents} documents inserted in ${((performance.now() - insertedAt) / 1000).toFixed(1)} s`);
  const busy: number[] = [];
  const startedAt = performance.now();
  const left = () => tasks.countDocuments({ "outlast.state": null });
  while ((await left()) > 0) busy.push(...(await measureStartLatency(cluster, 20, "other")));
  const tookMs = performance.now() - startedAt;
  const line = (what: string, all: number[]) =>
    console.log(
      `${what}: p50 ${percentile(
        all.toSorted((a, b) => a - b),
        0.5,
      ).toFixed(1)} ms, p99 ${percentile(
        all.toSorted((a, b) => a - b),
        0.99,
      ).toFixed(1)} ms (${all.length} tasks)`,
    );
  line("submit to start, nothing else", quiet);
  line("submit to start, while adopting", busy);
  console.log(`${Math.round((documents / tookMs) * 1000)} documents adopted a second`);
  await mongodb.close();
});
