/** I5: a task only takes the steps that there are; a final state is left by a retry only. */
import type { TaskState } from "../../model/task.ts";
import { checker } from "./checker.ts";
import { stepsByTask } from "./reading.ts";

/** Written down a second time on purpose: a table that is wrong in the model would judge itself right. */
const next: { readonly [From in TaskState | "none"]: readonly TaskState[] } = {
  // To failed before anything else: it was expired when it came.
  none: ["created", "blocked", "running", "waiting", "failed", "cancelled", "skipped"],
  created: ["running", "blocked", "waiting", "failed", "cancelled", "skipped"],
  blocked: ["created", "running", "waiting", "failed", "cancelled", "skipped"],
  // Running to running: the next attempt's start in one write with the end of the one before, or a note of its start.
  running: ["running", "success", "failed", "retrying", "killed", "waiting", "cancelled"],
  // Waiting to waiting: it takes notice of one thing after another, or its outcome is decided and its descendants have to end.
  waiting: ["running", "waiting", "success", "failed", "cancelled"],
  // To success with the result of a backup.
  retrying: ["running", "waiting", "success", "failed", "cancelled"],
  killed: ["running", "waiting", "success", "failed", "cancelled"],
  // By a retry only. A graph goes back to its nodes at once.
  success: ["created"],
  failed: ["created", "blocked", "waiting"],
  cancelled: ["created", "blocked", "waiting"],
  skipped: ["created", "blocked"],
};

export const legalTransitions = checker("I5", "legal transitions only", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    let state: TaskState | "none" = "none";
    for (const { status, entry } of steps) {
      // A final state is left by a retry alone, which says so in the entry.
      const isReopened = entry.writes.some((write) => write.kind === "reopen-task" && write.head.id === task);
      if (isFinal(state) && !isReopened)
        report(`task ${task} left the state ${state} in entry ${entry.seq} without a retry`, task);
      if (!next[state].includes(status.state)) {
        report(`task ${task} went from ${state} to ${status.state} in entry ${entry.seq}`, task);
      }
      state = status.state;
    }
  }
});

function isFinal(state: TaskState | "none"): boolean {
  return state === "success" || state === "failed" || state === "cancelled" || state === "skipped";
}
