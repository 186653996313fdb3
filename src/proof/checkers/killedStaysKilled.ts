/** I7: nothing changes an attempt after it was killed, and whoever completes it late is told that it is stale. */
import { checker } from "./checker.ts";
import { eventsOf, isReopening, name, stepBefore, stepsByTask } from "./reading.ts";

export const killedStaysKilled = checker("I7", "killed means not committed", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    let killed = -1;
    for (const [index, step] of steps.entries()) {
      const { status, entry } = step;
      if (isReopening(step, steps[index - 1]?.status ?? null)) killed = -1;
      // The task itself may end without another attempt: it is cancelled, its time is over, its worker is gone, or its backup succeeds. With
      // children it waits for their end.
      const isCancelled = status.state === "cancelled" || status.family?.ending === "cancelled";
      const isByBackup = status.state === "success" && status.backup?.isWinner === true;
      const isTasksEnd = isCancelled || isByBackup || ["deadline", "worker-gone"].includes(status.error?.code ?? "");
      if (status.attempt <= killed && status.state !== "killed" && !isTasksEnd) {
        report(
          `${name(task, status.attempt)} became ${status.state} in entry ${entry.seq} after it had been killed`,
          task,
        );
      }
      if (status.state === "killed") killed = status.attempt;
    }
  }
  for (const { task, attempt, verdict, outcome, order, worker } of eventsOf(history, "sent-verdict")) {
    const steps = stepsByTask(history).get(task) ?? [];
    if (verdict === "committed") {
      // A task whose outcome is decided waits until its last descendant has ended.
      const state = {
        success: ["success", "waiting"],
        failed: ["failed", "retrying", "waiting"],
        aborted: ["killed", "failed"],
        suspended: ["waiting", "cancelled"],
      }[outcome ?? "aborted"];
      const isSettled = steps.some(
        ({ status, entry }) => entry.order < order && status.attempt === attempt && state.includes(status.state),
      );
      if (!isSettled)
        report(`${worker} was told that its ${outcome} of ${name(task, attempt)} is committed, and it is not`, task);
    } else {
      const now = stepBefore(history, task, order)?.status;
      if (now?.state === "running" && now.attempt === attempt && now.host === worker) {
        report(`${worker} was told that ${name(task, attempt)} is stale while it is the current attempt`, task);
      }
    }
  }
});
