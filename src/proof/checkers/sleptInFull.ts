/** I3, for tasks that sleep: the execution behind a committed success has slept for as long as its task asks. */
import { checker } from "./checker.ts";
import { name, specs, stepsByTask } from "./reading.ts";
import { executionBehind } from "./resultHasExecution.ts";

/** Timers and the rounding of two instants to whole ms may make a sleep look this much shorter than it was. */
const sleepSlackMs = 5;

export const sleptInFull = checker("I3", "a success has slept its whole time", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    const spec = specs(history).get(task)?.spec;
    if (spec?.kind !== "sleep") continue;
    const sleepMs = Number((spec.input as { seconds: number }).seconds) * 1000;
    for (const { status } of steps) {
      const source = status.state === "success" ? executionBehind(history, status) : undefined;
      if (source === undefined || source.endedAt === null) continue;
      const tookMs = source.endedAt - source.startedAt;
      if (tookMs < sleepMs - sleepSlackMs)
        report(`${name(task, status.attempt)} should have slept for ${sleepMs} ms and took ${tookMs} ms`, task);
    }
  }
});
