/** A task with very many children: how fast they are made, what others notice of that, and what a master weighs meanwhile. */
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Scheduler } from "../src/core/scheduler/scheduler.ts";
import type { Write } from "../src/model/entry.ts";
import { childId, childPrefix } from "../src/model/family.ts";
import type { TaskId } from "../src/model/ids.ts";
import { toSpec } from "../src/model/submission.ts";
import { createClient, type Outlast } from "../src/sdk/index.ts";
import type { BenchCluster } from "./benchCluster.ts";
import { measureStartLatency } from "./latency.ts";
import { residentMiB } from "./processFigures.ts";

export const manyFile = fileURLToPath(new URL("./manyTasks.ts", import.meta.url));

/** No worker of a benchmark serves it, so that children stay as they are made. */
const queue = "held";
const pollMs = 50;
const samplesPerRound = 20;
const quietSamples = 200;

export interface ChildrenFigures {
  readonly seconds: number;
  /** Like `latenciesMs`, before there were any children. */
  readonly quietMs: readonly number[];
  /** Of tasks in another queue while the children were made: from their submit until the client sees that they run, in ms, ascending. */
  readonly latenciesMs: readonly number[];
  /** By how much the master's resident set has grown, for each unfinished child. */
  readonly residentBytesPerChild: number;
}

/** Makes `count` children of one task, which stay unfinished. */
export async function measureChildren(cluster: BenchCluster, count: number): Promise<ChildrenFigures> {
  const client = createClient({ masters: [cluster.address] });
  await measureStartLatency(cluster, samplesPerRound, "other");
  const quietMs = await measureStartLatency(cluster, quietSamples, "other");
  const before = residentMiB(cluster.pid("master"));
  const startedAt = performance.now();
  await client.submit({ id: "many", kind: "many", input: { count, queue } });
  const latenciesMs: number[] = [];
  const done = new AbortController();
  const sampled = (async () => {
    while (!done.signal.aborted) latenciesMs.push(...(await measureStartLatency(cluster, samplesPerRound, "other")));
  })();
  await untilMade(client, count);
  done.abort();
  const seconds = (performance.now() - startedAt) / 1000;
  await sampled;
  const residentBytesPerChild = ((residentMiB(cluster.pid("master")) - before) * 1024 * 1024) / count;
  return { seconds, quietMs, latenciesMs: latenciesMs.sort((a, b) => a - b), residentBytesPerChild };
}

export interface ChildrenUnderFire {
  readonly seconds: number;
  /** Indices that have exactly one child, and all children. */
  readonly once: number;
  readonly children: number;
}

/** The same while the leader dies at a third, and the worker of the parent at two thirds; then looks at each child. */
export async function countChildrenUnderFire(cluster: BenchCluster, count: number): Promise<ChildrenUnderFire> {
  const client = createClient({ masters: [cluster.address], retryForMs: 60_000 });
  const startedAt = performance.now();
  await client.submit({ id: "many", kind: "many", input: { count, queue } });
  await untilMade(client, count / 3);
  await cluster.kill("master");
  await cluster.start("master");
  await untilMade(client, (2 * count) / 3);
  const { host = "" } = await client.get("many", { consistent: true });
  await cluster.kill(host);
  await cluster.start(host);
  await untilMade(client, count);
  const seconds = (performance.now() - startedAt) / 1000;
  const prefix = childPrefix("many" as TaskId, 0, "all");
  const indices = new Map(Array.from({ length: count }, (_, index) => [childId(prefix, index) as string, 0]));
  let children = 0;
  for await (const { id } of client.iterate({ parent: "many", order: "oldest" })) {
    children += 1;
    indices.set(id, (indices.get(id) ?? 0) + 1);
  }
  const once = [...indices.values()].filter((times) => times === 1).length;
  return { seconds, once, children };
}

/** What the memory of a leading scheduler holds for each unfinished child: heap in use after a collection, in bytes. */
export function childHeapBytes(count: number): number {
  const before = heapBytes();
  const scheduler = new Scheduler();
  const [parent, now] = ["many" as TaskId, Date.now()];
  const prefix = childPrefix(parent, 0, "all");
  const submission = { kind: "sleep", input: { seconds: 0 }, queue };
  const identity = { fingerprint: null, now };
  const family = {
    steps: 0,
    stepBytes: 0,
    epoch: 0,
    children: count,
    waits: [{ kind: "children", key: "all" }],
  } as const;
  const counts = { attempt: 0, failures: 0, kills: 0, changedAt: now };
  const apply = (write: Write): void => scheduler.apply(JSON.parse(JSON.stringify(write)) as Write, now);
  apply({ kind: "spec", spec: toSpec({ kind: "many", input: null }, { id: parent, ...identity }) });
  apply({ kind: "status", status: { id: parent, state: "waiting", ...counts, family } });
  for (let index = 0; index < count; index += 1) {
    const id = childId(prefix, index);
    apply({ kind: "spec", spec: { ...toSpec(submission, { id, ...identity }), parent, depth: 1 } });
    apply({ kind: "status", status: { id, state: "created", ...counts } });
  }
  const ended = { succeeded: 0, failed: 0, cancelled: 0 };
  const options = { onFailure: "wait", failuresMax: null, concurrencyMax: null } as const;
  const set = { parent, key: "all", created: count, fingerprint: "", isSealed: true, ...options, ...ended };
  apply({ kind: "record", collection: "childSets", id: prefix, value: set });
  scheduler.activate(now, 1, 1);
  const after = heapBytes();
  if (scheduler.countTasks()["created"] !== count) throw new Error("The children are not there.");
  return (after - before) / count;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

async function untilMade(client: Outlast, count: number): Promise<void> {
  for (;;) {
    const made = (await client.get("many")).family?.children ?? 0;
    if (made >= count) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
