/** I2: at most one attempt of a task is committed as its success, and its result never changes. */
import { checker } from "./checker.ts";
import { isReopening, type Step, stepsByTask } from "./reading.ts";

export const oneSuccess = checker("I2", "at most one success", (history, report) => {
  for (const [task, { state }] of history.final.documents) {
    const steps = stepsByTask(history).get(task) ?? [];
    if (state === "success" && !steps.some((step) => step.status.state === "success"))
      report(`task ${task} shows a success that was never committed`, task);
  }
  for (const [task, steps] of stepsByTask(history)) {
    // A retry below it opens a success again: what counts is what came after the last one.
    const opened = steps.findLastIndex((step, index) => isReopening(step, steps[index - 1]?.status ?? null));
    const isSecond = (step: Step, index: number): boolean => {
      if (step.status.state !== "success") return false;
      const since = steps.slice(0, index).findLastIndex((each, at) => isReopening(each, steps[at - 1]?.status ?? null));
      return steps.slice(since + 1, index).some((each) => each.status.state === "success");
    };
    const [first] = steps.slice(opened + 1).filter((step) => step.status.state === "success");
    const second = steps.find(isSecond);
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
