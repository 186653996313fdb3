/**
 * Bounds of whole tasks: one that has not started by its `expiresAt` fails as `expired`, and one that has not ended `deadlineMs`
 * after its creation fails as `deadline`, whatever it is doing. Both are instants of the wall clock.
 */
import { failTask } from "./attempts.ts";
import { isClosing } from "./endings.ts";
import { isFull, type SchedulerModule } from "./module.ts";

export const taskBounds = {
  step(state, batch) {
    const { tasks } = state;
    const now = batch.now - tasks.clockLagMs;
    while (!isFull(batch)) {
      const due = tasks.bounds.popDue(now);
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
  nextWakeAt: ({ tasks }) => (tasks.bounds.nextAt === null ? null : tasks.bounds.nextAt + tasks.clockLagMs),
} satisfies SchedulerModule;
