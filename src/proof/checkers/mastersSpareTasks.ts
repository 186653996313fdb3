/** I33: where only masters and the store suffer, no running task is lost. */
import { checker } from "./checker.ts";
import { name, stepsByTask } from "./reading.ts";

export const mastersSpareTasks = checker(
  "I33",
  "the death of a master never touches a running task",
  (history, report) => {
    if (!history.conditions.sparesWorkers) return;
    for (const [task, steps] of stepsByTask(history)) {
      const killed = steps.find(({ status }) => status.kills > 0);
      if (killed === undefined) continue;
      const { attempt, host = "nobody", error } = killed.status;
      report(
        `${name(task, attempt)} on ${host} was killed (${error?.message ?? "no reason"}) although no worker had any fault`,
        task,
        host,
      );
    }
  },
);
