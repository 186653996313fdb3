/** I6: a task fails no more often than it may, only what its own attempts did wrong counts, and only lost attempts are kills. */
import { checker, type Report } from "./checker.ts";
import type { History } from "./ledger.ts";
import { executionsByTask, isReopening, name, recordsByWorker, type Step, specs, stepsByTask } from "./reading.ts";

export const failuresCounted = checker("I6", "failures are counted right and bounded", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    const attemptsMax = specs(history).get(task)?.spec.limits.attemptsMax ?? 0;
    let before: Step | null = null;
    for (const step of steps) {
      checkBounds(step, attemptsMax, report);
      // Failures begin anew with a retry.
      if (!isReopening(step, before?.status ?? null)) checkCount(history, step, before, report);
      else if (step.status.failures + step.status.kills > 0)
        report(`task ${task} was retried and kept its failures, in entry ${step.entry.seq}`, task);
      before = step;
    }
  }
});

/** What ends a task before its attempts are used up. */
const finalCodes: readonly string[] = [
  ...["kills-used-up", "non-retryable", "output-too-large", "expired", "deadline"],
  ...["child-failed", "graph-failed", "input", "broadcast-failed", "worker-gone"],
];

function checkBounds({ status, entry }: Step, attemptsMax: number, report: Report): void {
  const { id, state, failures, error } = status;
  if (failures > attemptsMax) report(`task ${id} failed ${failures} times of ${attemptsMax} in entry ${entry.seq}`, id);
  if ((state === "retrying" || state === "running") && failures >= attemptsMax) {
    report(`task ${id} goes on after its ${failures}th failure of ${attemptsMax}, in entry ${entry.seq}`, id);
  }
  if (state === "failed" && failures < attemptsMax && !finalCodes.includes(error?.code ?? "")) {
    report(`task ${id} failed for good after ${failures} failures of ${attemptsMax}, in entry ${entry.seq}`, id);
  }
}

function checkCount(history: History, step: Step, stepBefore: Step | null, report: Report): void {
  const { status, entry } = step;
  const { id, attempt } = status;
  const before = stepBefore?.status;
  const failed = status.failures - (before?.failures ?? 0);
  const killed = status.kills - (before?.kills ?? 0);
  if (failed < 0 || killed < 0 || failed + killed > 1) {
    report(`task ${id} changed by ${failed} failures and ${killed} kills in one step, in entry ${entry.seq}`, id);
  }
  const uncounted = (status.uncounted ?? 0) - (before?.uncounted ?? 0);
  // A suspended attempt has run and counts as nothing; one that nobody had begun with does so as well.
  const isSuspension = status.state === "waiting" || status.state === "cancelled";
  if (
    uncounted > 0 &&
    !isSuspension &&
    executionsByTask(history)
      .get(id)
      ?.some((each) => each.attempt === attempt) === true
  ) {
    report(`${name(id, attempt)} was not counted, though a worker had begun with it`, id);
  }
  if (killed === 1 && stepBefore !== null) checkKill(history, stepBefore, step, report);
  if (failed !== 1) return;
  const execution = executionsByTask(history)
    .get(id)
    ?.find((each) => each.attempt === attempt);
  const hasFailed = execution?.end === "failed" && execution.endOrder !== null && execution.endOrder < entry.order;
  // A time-out is ended by the worker or, where that cannot be, by the leader: there need not be an execution that failed.
  const timeoutMs = specs(history).get(id)?.spec.limits.timeoutMs ?? null;
  const isTimeout = timeoutMs !== null && status.error?.code === "timeout";
  if (!hasFailed && !isTimeout) report(`${name(id, attempt)} was counted as a failure, but did not fail by itself`, id);
}

/** An attempt was lost if somebody had begun with it, or if its worker is no longer there, for all that the leader knows. */
function checkKill(history: History, before: Step, { entry }: Step, report: Report): void {
  const { id, attempt, host, boot } = before.status;
  if (
    executionsByTask(history)
      .get(id)
      ?.some((each) => each.attempt === attempt) === true
  )
    return;
  const records = host === undefined ? [] : (recordsByWorker(history).get(host) ?? []);
  const isThere = ({ record }: (typeof records)[number]): boolean =>
    record.boot === boot && record.state === "connected";
  // Also where it is back within the same entry: a late message of another boot of it tells that this one has died.
  const isLost = records.some(
    (each) => each.entry.order > before.entry.order && each.entry.order <= entry.order && !isThere(each),
  );
  const last = records.findLast((each) => each.entry.order <= entry.order);
  if (isLost || last === undefined || !isThere(last)) return;
  report(`${name(id, attempt)} was counted as a kill, though its worker was there and had not begun with it`, id);
}
