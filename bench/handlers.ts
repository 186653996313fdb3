/** Handlers: how soon one starts, in a new process and in a warm one, and how many no-op ones run in a second. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { BootId, TaskId, WorkerId } from "../src/model/ids.ts";
import type { AttemptEnd } from "../src/model/protocol.ts";
import { SystemClock } from "../src/node/clock.ts";
import { SystemIds } from "../src/node/ids.ts";
import { directoryMark, SystemProcesses } from "../src/node/processes.ts";
import { sessionThatEnds } from "../src/proof/fakes/sessions.ts";
import { handlerOptions } from "../src/runner/handlerOptions.ts";
import { createClient } from "../src/sdk/index.ts";
import { ProcessExecutor } from "../src/worker/executors/executor.ts";
import type { BenchCluster } from "./benchCluster.ts";

export const noopFile = fileURLToPath(new URL("./noopTasks.ts", import.meta.url));

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface StartTimes {
  /** Of an attempt for which a running worker must first start another process: until its end is known, in ms, ascending. */
  readonly coldMs: readonly number[];
  /** From the start of an attempt in a warm runner until its end is known, in ms, ascending. */
  readonly warmMs: readonly number[];
}

/** Longer than a runner takes until it has kept its compiled code for the next one. */
const codeKeptMs = 1_000;

/** An executor alone, without a master: what a start costs on the worker's side. Compiled code is kept as the command `outlast` does. */
export async function measureStarts(colds: number, warms: number): Promise<StartTimes> {
  enableCompileCache(join(import.meta.dirname, "..", "node_modules", ".cache", "outlast"));
  const first = await openExecutor();
  await run(first, 0);
  await setTimeout(codeKeptMs);
  const warmMs = await runMany(first, warms);
  await first.stop();
  const coldMs: number[] = [];
  for (let round = 0; round < colds; round += 1) {
    const executor = await openExecutor();
    const startedAt = performance.now();
    // Two at once: the first takes the process that a worker holds ready, the other needs a new one.
    await Promise.all([run(executor, 0), run(executor, 1)]);
    coldMs.push(performance.now() - startedAt);
    await executor.stop();
  }
  return { coldMs: ascending(coldMs), warmMs: ascending(warmMs) };
}

async function openExecutor(): Promise<ProcessExecutor> {
  const executor = new ProcessExecutor({
    worker: "bench" as WorkerId,
    boot: new SystemIds().random() as BootId,
    home: await directoryMark("/tmp"),
    clock: new SystemClock(),
    log: silent,
    processes: new SystemProcesses(),
    environment: process.env,
    directory: "/tmp",
    handlers: handlerOptions([{ path: noopFile, isNamed: true }]),
    onOutput: () => {},
  });
  await executor.open();
  return executor;
}

async function runMany(executor: ProcessExecutor, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let number = 1; number <= count; number += 1) {
    const startedAt = performance.now();
    await run(executor, number);
    times.push(performance.now() - startedAt);
  }
  return times;
}

function run(executor: ProcessExecutor, number: number): Promise<AttemptEnd> {
  return new Promise((resolve) => {
    const assignment = { task: `t${number}` as TaskId, attempt: 1, assignedAt: 1, name: "n", kind: "noop" } as const;
    executor.start({ ...assignment, input: null, timeoutMs: null }, sessionThatEnds(resolve));
  });
}

/** No-op handlers per second, from the first submit to the last success. */
export async function measureHandlers(cluster: BenchCluster, tasks: number, isInline: boolean): Promise<number> {
  const client = createClient({ masters: [cluster.address] });
  const before = (await client.status()).stats.tasks["success"] ?? 0;
  const kind = isInline ? "noop-inline" : "noop";
  const startedAt = performance.now();
  await client.submitAll(Array.from({ length: tasks }, () => ({ kind, input: null })));
  while (((await client.status()).stats.tasks["success"] ?? 0) - before < tasks) {
    await setTimeout(20);
  }
  return tasks / ((performance.now() - startedAt) / 1000);
}

function ascending(values: number[]): number[] {
  return values.sort((one, other) => one - other);
}
