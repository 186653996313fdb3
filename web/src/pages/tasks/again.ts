/** A task as a submission, so that the same work can be submitted again. */
import type { Submission, Task } from "../../api/schema.ts";

/** Without what belongs to the first time only: its id, its instants (`startAt`, `expiresAt`), and the tasks that it waited for. */
export function submissionOf(task: Task): Submission {
  const { name, kind, input, queue, priority, requires, broadcast, limits } = task;
  const { concurrencyKey, concurrencyMax, uniqueKey, onConflict, deadlineMs } = task;
  const { attemptsMax, killsMax, timeoutMs, backoffBaseMs, backoffFactor, backoffMaxMs } = limits;
  return {
    name,
    kind,
    input,
    queue,
    priority,
    ...(requires !== undefined && requires.length > 0 && { requires }),
    ...(broadcast === true && { broadcast }),
    ...(concurrencyKey !== undefined && { concurrencyKey }),
    ...(concurrencyMax !== undefined && { concurrencyMax }),
    ...(uniqueKey !== undefined && { uniqueKey }),
    ...(onConflict !== undefined && { onConflict }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    attemptsMax,
    ...(killsMax !== null && { killsMax }),
    ...(timeoutMs !== null && { timeoutMs }),
    ...{ backoffBaseMs, backoffFactor, backoffMaxMs },
  };
}
