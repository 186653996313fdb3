/** How long a failed task waits for its next attempt. */
import type { TaskId } from "../model/ids.ts";
import type { TaskLimits } from "../model/task.ts";

/**
 * `min(backoffMaxMs, backoffBaseMs * backoffFactor ** (failures - 1))`, less up to half of it, so that tasks that failed
 * together do not come back together. The jitter is drawn from the name of the attempt: a replay decides the same.
 * Exponential back-off with jitter as in https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 * @returns whole milliseconds
 */
export function retryDelayMs(task: TaskId, attempt: number, failures: number, limits: TaskLimits): number {
  const fullMs = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * limits.backoffFactor ** (failures - 1));
  return Math.round(fullMs * (1 - hashToUnit(`${task}/${attempt}`) / 2));
}

/** Spreads names evenly over [0, 1): FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) with a final mix. */
export function hashToUnit(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
