/** How far the clocks of workers are off, as far as tasks tell. */
import type { TaskState } from "./task.ts";

interface TimedTask {
  readonly host?: string;
  readonly state: TaskState;
  readonly assignedAt?: number;
  readonly startedAt?: number;
  readonly changedAt: number;
}

/**
 * Compares what workers and masters wrote down about the same tasks: an attempt that started before it was assigned, or
 * after its end was committed, shows a difference of at least so much.
 * @returns by worker, in ms: below 0 where its clock is behind its master's. Those of which nothing shows are left out
 */
export function workerClockDifferences(tasks: readonly TimedTask[]): ReadonlyMap<string, number> {
  const differences = new Map<string, number>();
  for (const { host, state, assignedAt, startedAt, changedAt } of tasks) {
    if (host === undefined || startedAt === undefined) continue;
    const behindMs = assignedAt === undefined ? 0 : assignedAt - startedAt;
    // While a task runs, a status says nothing about the worker's clock.
    const aheadMs = state === "running" ? 0 : startedAt - changedAt;
    const known = Math.abs(differences.get(host) ?? 0);
    if (behindMs > known) differences.set(host, -behindMs);
    else if (aheadMs > known) differences.set(host, aheadMs);
  }
  return differences;
}
