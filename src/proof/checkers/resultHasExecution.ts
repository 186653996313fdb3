/** I3: a committed success is the outcome of an execution that really took place and ended before. */
import { checker } from "./checker.ts";
import { executionsByTask, name, stepsByTask } from "./reading.ts";

export const resultHasExecution = checker("I3", "no result from nowhere", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    for (const { status, entry } of steps) {
      if (status.state !== "success") continue;
      const output = JSON.stringify(status.output);
      const source = executionsByTask(history)
        .get(task)
        ?.find(
          (execution) => execution.attempt === status.attempt && JSON.stringify({ token: execution.token }) === output,
        );
      if (source === undefined)
        report(`${name(task, status.attempt)} succeeded with a result that no execution gave`, task);
      else if (source.end !== "success" || source.endOrder === null || source.endOrder > entry.order) {
        report(`${name(task, status.attempt)} was committed as a success before its execution had ended as one`, task);
      }
    }
  }
});
