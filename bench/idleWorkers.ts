/** Many workers that have nothing to do, in a process of their own: `node bench/idleWorkers.ts MASTER HOW-MANY`. Says so when all are attached. */
import { setTimeout } from "node:timers/promises";
import { Bearer } from "../src/model/bearer.ts";
import type { BootId, WorkerId } from "../src/model/ids.ts";
import { SystemClock } from "../src/node/clock.ts";
import { createDial } from "../src/node/httpLink.ts";
import { FakeExecutor, FakeOutbox, FakeSpool } from "../src/proof/fakes/fakeWorkerPorts.ts";
import { createClient } from "../src/sdk/index.ts";
import { Worker } from "../src/worker/worker.ts";

/** So many attach at a time. */
const atOnce = 50;
const lookMs = 100;

const [master = "", howMany = "0"] = process.argv.slice(2);
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const dial = createDial({ bearer: new Bearer(null), log: silent });
const client = createClient({ masters: [master] });

function createWorker(number: number): Worker {
  return new Worker({
    ...{ id: `idle-${number}` as WorkerId, boot: `boot-of-idle-${number}` as BootId, capacity: 1, queues: ["idle"] },
    ...{ masters: [master], dial, clock: new SystemClock(), log: silent },
    ...{ executor: new FakeExecutor(), outbox: new FakeOutbox(), spool: new FakeSpool() },
    ...{ hostname: "bench", pid: process.pid, version: "bench", probePort: null },
  });
}

for (let number = 0; number < Number(howMany); number += atOnce) {
  const some = Array.from({ length: Math.min(atOnce, Number(howMany) - number) }, (_, at) => createWorker(number + at));
  await Promise.all(some.map((worker) => worker.start()));
}
while ((await client.status()).stats.workersConnected < Number(howMany)) await setTimeout(lookMs);
console.log("attached");
