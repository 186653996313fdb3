/** A task as a submission, so that the same work can be submitted again. */
import type { Submission, Task } from "../../api/schema.ts";

export function submissionOf(task: Task): Submission {
  const { name, kind, input, queue, priority, requires, limits } = task;
  const { attemptsMax, killsMax, timeoutMs, backoffBaseMs, backoffFactor, backoffMaxMs } = limits;
  return {
    name,
    kind,
    input,
    queue,
    priority,
    ...(requires !== undefined && requires.length > 0 && { requires }),
    attemptsMax,
    ...(killsMax !== null && { killsMax }),
    ...(timeoutMs !== null && { timeoutMs }),
    ...{ backoffBaseMs, backoffFactor, backoffMaxMs },
  };
}
