/** How long a failed task waits for its next attempt. */

import { hashToUnit } from "../model/hash.ts";
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
