/** How long a task waits for its next attempt, after a failure or after losses of its worker. */

import { hashToUnit } from "../model/hash.ts";
import type { TaskId } from "../model/ids.ts";
import { defaults } from "../model/limits.ts";
import type { TaskLimits } from "../model/task.ts";

/**
 * `min(backoffMaxMs, backoffBaseMs * backoffFactor ** (failures - 1))`, less up to half of it, so that tasks that failed
 * together do not come back together. The jitter is drawn from the name of the attempt: a replay decides the same.
 * Exponential back-off with jitter as in https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 * @returns whole milliseconds
 */
export function retryDelayMs(task: TaskId, attempt: number, failures: number, limits: TaskLimits): number {
  const fullMs = Math.min(limits.backoffMaxMs, limits.backoffBaseMs * limits.backoffFactor ** (failures - 1));
  return delayMs(task, attempt, fullMs);
}

/** How long a task waits whose worker has died under it `losses` times in a row, in the same way. @returns whole milliseconds */
export function lossDelayMs(task: TaskId, attempt: number, losses: number): number {
  const rounds = losses - defaults.lossesBeforeBackoff;
  if (rounds < 0) return 0;
  return delayMs(task, attempt, Math.min(defaults.lossBackoffMaxMs, defaults.lossBackoffBaseMs * 2 ** rounds));
}

function delayMs(task: TaskId, attempt: number, fullMs: number): number {
  return Math.round(fullMs * (1 - hashToUnit(`${task}/${attempt}`) / 2));
}
