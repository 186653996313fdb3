/** I3: a committed success is the outcome of an execution that really took place and ended before. */
import { needsNoWorker } from "../../model/kinds/table.ts";
import type { TaskStatus } from "../../model/task.ts";
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";
import {
  type Execution,
  eventsOf,
  executions,
  executionsByTask,
  name,
  once,
  type Step,
  specs,
  stepsByTask,
} from "./reading.ts";

export const resultHasExecution = checker("I3", "no result from nowhere", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    // No worker runs a graph or a broadcast; what it gives back is judged with its nodes.
    const spec = specs(history).get(task)?.spec;
    if (spec !== undefined && needsNoWorker(spec)) continue;
    for (const step of steps) {
      const { status } = step;
      if (status.state !== "success") continue;
      const source = executionBehind(history, status);
      const isEndUnknown = source === undefined || source.end === null || source.end === "died";
      // The worker may have had no time left to write down how the execution ended.
      if (isEndUnknown && isRecordCut(history, step)) continue;
      if (source === undefined)
        report(`${name(task, status.attempt)} succeeded with a result that no execution gave`, task);
      else if (source.end !== "success")
        report(`${name(task, status.attempt)} was committed as a success, and its execution did not end as one`, task);
      else if (!endedBefore(history, source, step))
        report(`${name(task, status.attempt)} was committed as a success before its execution had ended`, task);
    }
  }
});

/** The execution that a committed success came from, as far as it is recorded. */
export function executionBehind(history: History, success: TaskStatus): Execution | undefined {
  const { backup } = success;
  if (backup?.isWinner !== true)
    return executionsByTask(history)
      .get(success.id)
      ?.find((execution) => isSource(history, execution, success));
  const own = stepsByTask(history)
    .get(backup.id)
    ?.find(({ status }) => status.state === "success")?.status;
  return own === undefined ? undefined : executionBehind(history, own);
}

function isSource(history: History, execution: Execution, { attempt, boot, output }: TaskStatus): boolean {
  if (execution.attempt !== attempt) return false;
  if (!history.conditions.areOutputsTokens) return execution.boot === boot;
  return (output as { readonly token?: string } | undefined)?.token === execution.token;
}

function endedBefore({ conditions }: History, { endOrder, endedAt }: Execution, { entry }: Step): boolean {
  if (endOrder === null || endedAt === null) return false;
  const slackMs = conditions.timestampSlackMs;
  return slackMs > 0 ? endedAt <= entry.landedAt + slackMs : endOrder < entry.order;
}

/** True if the worker was killed so soon after this commit that the record of what it had done may be missing. */
function isRecordCut(history: History, { status: { boot }, entry }: Step): boolean {
  const { lostRecordMs } = history.conditions;
  if (lostRecordMs === 0 || boot === undefined) return false;
  const endedAt = recordEnds(history).get(boot);
  if (endedAt !== undefined) return endedAt - entry.landedAt < lostRecordMs;
  // A boot of which nothing at all is recorded did not live for long.
  return !recordedBoots(history).has(boot);
}

const recordEnds = once(
  (history): ReadonlyMap<string, number> => new Map(eventsOf(history, "record-ends").map(({ boot, at }) => [boot, at])),
);

const recordedBoots = once(
  (history): ReadonlySet<string> => new Set(executions(history).map((execution) => execution.boot)),
);
