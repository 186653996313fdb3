/** I8: nothing is executed that had not been assigned, in the journal, to that very boot before. */
import { checker } from "./checker.ts";
import { executions, name, stepsByTask } from "./reading.ts";

export const assignedBeforeStart = checker("I8", "no execution without an earlier assignment", (history, report) => {
  const slackMs = history.conditions.timestampSlackMs;
  for (const { task, attempt, worker, boot, startOrder, startedAt } of executions(history)) {
    const isAssigned = stepsByTask(history)
      .get(task)
      ?.some(
        ({ status, entry }) =>
          status.state === "running" &&
          status.attempt === attempt &&
          status.host === worker &&
          status.boot === boot &&
          (slackMs > 0 ? entry.landedAt <= startedAt + slackMs : entry.order < startOrder),
      );
    if (isAssigned !== true)
      report(`${name(task, attempt)} was started by ${boot} of ${worker} without a committed assignment`, task, worker);
  }
});
