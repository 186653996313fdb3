/** I2: at most one attempt of a task is committed as its success, and its result never changes. */
import { checker } from "./checker.ts";
import { stepsByTask } from "./reading.ts";

export const oneSuccess = checker("I2", "at most one success", (history, report) => {
  for (const [task, { state }] of history.final.documents) {
    const steps = stepsByTask(history).get(task) ?? [];
    if (state === "success" && !steps.some((step) => step.status.state === "success"))
      report(`task ${task} shows a success that was never committed`, task);
  }
  for (const [task, steps] of stepsByTask(history)) {
    const successes = steps.filter((step) => step.status.state === "success");
    const [first, second] = successes;
    if (second !== undefined) {
      report(
        `task ${task} succeeded with attempt ${first?.status.attempt} and again with attempt ${second.status.attempt}`,
        task,
      );
    }
    const document = history.final.documents.get(task);
    if (first === undefined || document === undefined) continue;
    if (
      document.attempt !== first.status.attempt ||
      JSON.stringify(document.output) !== JSON.stringify(first.status.output)
    ) {
      report(`the committed result of task ${task} is not what its document shows`, task);
    }
  }
});
