/** I11: a retry waits for its back-off, and an attempt that outlasts its time-out is ended soon after. */
import { clockRatioMax, defaults } from "../../model/limits.ts";
import type { TaskLimits, TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { History } from "./ledger.ts";
import { eventsOf, name, once, type Step, specs, stepsByTask } from "./reading.ts";
import { troubledMs } from "./troubles.ts";

/** What commits may take from a wait that is counted between two entries. */
const slackOfWaitMs = 3_000;
/** What commits, messages and slow stores may add on a good day. */
const slackMs = 6_000;

export const waitsKept = checker("I11", "back-off and time-outs are kept", (history, report) => {
  for (const [task, steps] of stepsByTask(history)) {
    const limits = specs(history).get(task)?.spec.limits;
    if (limits === undefined) continue;
    for (const [index, step] of steps.entries()) {
      const before = steps[index - 1];
      if (step.status.state === "running" && before !== undefined) {
        const fullMs = backoffMs(before.status, limits);
        if (fullMs > 0) checkRetry(before, step, fullMs, report);
      }
      if (step.status.state === "running" && before?.status.attempt !== step.status.attempt) {
        checkTimeout(history, step, steps.slice(index + 1), limits, report);
      }
    }
  }
});

/** How long the task must wait, before jitter takes up to half of it; 0 if it need not. */
function backoffMs({ state, failures, losses = 0 }: TaskStatus, limits: TaskLimits): number {
  if (state === "retrying")
    return Math.min(limits.backoffMaxMs, limits.backoffBaseMs * limits.backoffFactor ** (failures - 1));
  const { lossesBeforeBackoff, lossBackoffBaseMs, lossBackoffMaxMs } = defaults;
  if (state !== "killed" || losses < lossesBeforeBackoff) return 0;
  return Math.min(lossBackoffMaxMs, lossBackoffBaseMs * 2 ** (losses - lossesBeforeBackoff));
}

function checkRetry(waiting: Step, started: Step, fullMs: number, report: Report): void {
  const { id, changedAt, retryAt = 0 } = waiting.status;
  const waitMs = retryAt - changedAt;
  // Rounding may take half a millisecond.
  if (waitMs < fullMs / 2 - 1 || waitMs > fullMs + 1) {
    report(`task ${id} was to wait ${waitMs} ms before its next attempt, not ${fullMs / 2} to ${fullMs}`, id);
  }
  // A new leader goes by its own clock, and waits no longer than once more. So by that clock it may not be early, unless time itself says so.
  const isByOneLeader = started.entry.epoch === waiting.entry.epoch;
  const isOver = !isByOneLeader && started.entry.landedAt - waiting.entry.landedAt >= waitMs * 0.8 - slackOfWaitMs;
  const isEarly = started.entry.at < retryAt && !isOver;
  if (isEarly) {
    report(
      `${name(id, started.status.attempt)} was started ${retryAt - started.entry.at} ms before its back-off was over`,
      id,
    );
  }
}

function checkTimeout(
  history: History,
  started: Step,
  later: readonly Step[],
  limits: TaskLimits,
  report: Report,
): void {
  const { timeoutMs } = limits;
  if (timeoutMs === null) return;
  const { id, attempt } = started.status;
  const ended = later.find(({ status }) => !isRunning(status, attempt));
  const endedAt = ended?.entry.landedAt ?? history.events.at(-1)?.at ?? 0;
  // A new leader gives every attempt its whole time again: it cannot know how much was used.
  const markers = history.entries.filter(
    ({ writes, landedAt }) => landedAt < endedAt && writes.some((write) => write.kind === "marker"),
  );
  const since = Math.max(started.entry.landedAt, markers.at(-1)?.landedAt ?? 0);
  // After its wall clock was set back, a master counts time so much slower until the two agree again.
  const slewed = isAnyClockSetBack(history) ? 1 - defaults.clockSlewMax : 1;
  const { timeoutBackstopMs, driftMax } = history.conditions;
  const allowedMs = ((timeoutMs * clockRatioMax + timeoutBackstopMs) * (1 + 2 * driftMax)) / slewed + slackMs;
  const usedMs = endedAt - since - 2 * troubledMs(history, { from: since, to: endedAt });
  if (usedMs > allowedMs) {
    report(`${name(id, attempt)} has a time-out of ${timeoutMs} ms and was ended only after ${endedAt - since} ms`, id);
  }
}

const isAnyClockSetBack = once((history) => {
  const byNode = Map.groupBy(eventsOf(history, "clock-set"), ({ node }) => node);
  return [...byNode.values()].some((sets) =>
    sets.some(({ offsetMs }, index) => offsetMs < (sets[index - 1]?.offsetMs ?? Number.NEGATIVE_INFINITY)),
  );
});

function isRunning(status: TaskStatus, attempt: number): boolean {
  return status.state === "running" && status.attempt === attempt;
}
