/** A task as a submission, so that the same work can be submitted again. */
import type { Submission, Task } from "../../api/schema.ts";

/** No worker runs it, so fields that say how workers try a task are refused. */
const kindWithoutWorker = "graph";
/** What only Outlast itself makes: parts of a MapReduce job, and what stops a job at a service. */
const ownKinds: ReadonlySet<string> = new Set(["map-reduce.map", "map-reduce.reduce", "remote.stop"]);

/** Whether somebody could have submitted it. */
export function canRunAgain({ kind }: Pick<Task, "kind">): boolean {
  return !ownKinds.has(kind);
}

/**
 * Without what belongs to the first time only: its id, its instants (`startAt`, `expiresAt`), and the tasks that it waited for, whose outputs
 * stand in its input where they are known.
 */
export function submissionOf(task: Task): Submission {
  const { name, kind, input, resolvedInput = input, queue, priority } = task;
  const { concurrencyKey, concurrencyMax, uniqueKey, onConflict, deadlineMs } = task;
  return {
    ...{ name, kind, input: resolvedInput, queue, priority },
    ...(concurrencyKey !== undefined && { concurrencyKey }),
    ...(concurrencyMax !== undefined && { concurrencyMax }),
    ...(uniqueKey !== undefined && { uniqueKey }),
    ...(onConflict !== undefined && { onConflict }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(kind !== kindWithoutWorker && fieldsOfAttempts(task)),
  };
}

function fieldsOfAttempts({ requires, broadcast, limits }: Task): Partial<Submission> {
  const { attemptsMax, killsMax, timeoutMs, backoffBaseMs, backoffFactor, backoffMaxMs } = limits;
  return {
    ...(requires !== undefined && requires.length > 0 && { requires }),
    ...(broadcast === true && { broadcast }),
    attemptsMax,
    ...(killsMax !== null && { killsMax }),
    ...(timeoutMs !== null && { timeoutMs }),
    ...{ backoffBaseMs, backoffFactor, backoffMaxMs },
  };
}
