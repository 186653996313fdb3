/** I4: attempts count 1, 2, 3 … without gap or return, and a new one begins only when the one before has ended. */
import { checker } from "./checker.ts";
import { stepsByTask } from "./reading.ts";

export const attemptNumbers = checker("I4", "attempt numbers have no gap and no return", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    let attempt = 0;
    for (const { status, entry } of steps) {
      if (status.attempt !== attempt && status.attempt !== attempt + 1) {
        report(`task ${task} went from attempt ${attempt} to ${status.attempt} in entry ${entry.seq}`, task);
      }
      attempt = status.attempt;
      // Every attempt but the current one has ended: as a failure, as a kill, or uncounted.
      const ended = status.failures + status.kills + (status.uncounted ?? 0);
      if (status.state === "running" && attempt !== ended + 1) {
        report(
          `attempt ${attempt} of task ${task} began when ${ended} attempts had ended, in entry ${entry.seq}`,
          task,
        );
      }
      if ((status.state === "killed" || status.state === "retrying") && attempt !== ended) {
        report(
          `task ${task} is ${status.state} with attempt ${attempt} and ${ended} ended attempts, in entry ${entry.seq}`,
          task,
        );
      }
    }
  }
});
