/**
 * Bounds of whole tasks: one that has not started by its `expiresAt` fails as `expired`, and one that has not ended `deadlineMs`
 * after its creation fails as `deadline`, whatever it is doing. Both are instants of the wall clock. A task that stops a job is not
 * given up on a clock that may be wrong: nobody else would stop that job.
 */
import { failTask } from "./attempts.ts";
import { isClosing } from "./endings.ts";
import { isFull, type SchedulerModule } from "./module.ts";

export const taskBounds = {
  step(state, batch) {
    const { tasks } = state;
    const now = batch.now - tasks.clockLagMs;
    while (!isFull(batch)) {
      const isSure = batch.now >= state.clockSureAt;
      const due = tasks.bounds.popDue(now) ?? (isSure ? tasks.stopBounds.popDue(now) : undefined);
      if (due === undefined) return;
      const { task, code } = due;
      if (isClosing(task) || (code === "expired" && task.hasStarted)) continue;
      const message =
        code === "expired"
          ? "It had not started when its time was over (expiresAt)."
          : "It had not ended when its time was over (deadlineMs).";
      failTask(state, batch, task, { code, message });
    }
  },
  nextWakeAt({ tasks, clockSureAt }) {
    const { bounds, stopBounds, clockLagMs } = tasks;
    const next = (bounds.nextAt ?? Number.POSITIVE_INFINITY) + clockLagMs;
    const nextStop = Math.max((stopBounds.nextAt ?? Number.POSITIVE_INFINITY) + clockLagMs, clockSureAt);
    const first = Math.min(next, nextStop);
    return first === Number.POSITIVE_INFINITY ? null : first;
  },
} satisfies SchedulerModule;
