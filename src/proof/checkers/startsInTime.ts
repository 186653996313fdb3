/** I22: no task starts before its instant, by the wall clock of the master that starts it: not on a jump that is taken back. */
import { checker } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { appendOf, specs, stepsByTask } from "./reading.ts";
import { clockSetsOf, wallAt } from "./shownTime.ts";

/** Instants are whole milliseconds, and a decision is made a little before its entry is handed over. */
const slackMs = 5;

export const startsInTime = checker("I22", "nothing starts before its instant", (history, report) => {
  const { clockSettleMs, driftMax } = history.conditions;
  if (clockSettleMs === undefined) return;
  // A machine counts this time by its own clock, which may run fast.
  const settleMs = clockSettleMs / (1 + driftMax);
  for (const [task, steps] of stepsByTask(history)) {
    const created = specs(history).get(task);
    const startAt = created?.spec.startAt ?? null;
    const first = steps.find(({ status }) => status.state === "running");
    if (created === undefined || startAt === null || first === undefined) continue;
    const append = appendOf(history, first.entry);
    if (append === undefined) continue;
    // Once its instant was there the task stands in line, also if the clock is set back before it has a worker.
    const since = decidedSince(history, created.entry);
    const sets = clockSetsOf(history, append.life).filter(({ at }) => at > since && at < append.at);
    const shownAt = Math.max(
      ...[append.at, ...sets.map(({ at }) => at - 0.001)].map((at) => wallAt(history, append.life, at, settleMs)),
    );
    if (shownAt < startAt - slackMs)
      report(`task ${task} was started ${Math.round(startAt - shownAt)} ms before its instant`, task);
  }
});

/** When this entry can have been decided first: a leader does so while the one before it is being committed, which may take long. */
export function decidedSince(history: History, { seq, epoch, landedAt }: LandedEntry): number {
  return appendOf(history, { seq: seq - 1, epoch })?.at ?? landedAt;
}
