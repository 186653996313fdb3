/** What is told of the event loop, and that no process at rest is woken for it. */
import { execFile } from "node:child_process";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { addProcessMetrics } from "./processMetrics.ts";

/** A turn as long as nothing else makes it, however busy the machine is. */
const longMs = 2000;

test("turns of the event loop are told once, and not what it waits between them", async () => {
  const registry = new Registry();
  addProcessMetrics(registry);
  await nextTurn();
  await longestSeconds(registry);
  block(longMs);
  await nextTurn();
  await nextTurn();
  expect(await longestSeconds(registry)).toBeGreaterThanOrEqual(longMs / 1000);
  // Each look begins anew.
  await expect.poll(() => rest().then(() => longestSeconds(registry)), { timeout: 20_000 }).toBeLessThan(longMs / 1000);
  const text = await registry.metrics();
  for (const figure of ["min_", "max_", "mean_", "stddev_", "p50_", "p90_", "p99_", ""])
    expect(text.match(new RegExp(`^# TYPE nodejs_eventloop_lag_${figure}seconds gauge$`, "gm"))).toHaveLength(1);
});

test("a process at rest is not woken to look at its event loop", async () => {
  addProcessMetrics(new Registry());
  await nextTurn();
  // A timer of 10 ms makes about 50 each time.
  await expect.poll(turnsWhileAtRest, { timeout: 20_000 }).toBeLessThan(25);
});

async function turnsWhileAtRest(): Promise<number> {
  const before = performance.nodeTiming.uvMetricsInfo.loopCount;
  await rest();
  return performance.nodeTiming.uvMetricsInfo.loopCount - before;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Waits for another process that lasts half a second. */
async function rest(): Promise<void> {
  await promisify(execFile)("sleep", ["0.5"]);
}

async function longestSeconds(registry: Registry): Promise<number> {
  const [, text] = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await registry.metrics()) ?? [];
  return Number(text);
}

function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
