/** I38: what a client reads is in the journal for good, and a client that stays with one master never reads backwards. */
import { checker } from "./checker.ts";
import { eventsOf, name, stepsByTask } from "./reading.ts";

export const readsGoForward = checker("I38", "reads go forward", (history, report) => {
  const reached = new Map<string, number>();
  for (const { session, life, task, state, attempt, order } of eventsOf(history, "read")) {
    const steps = stepsByTask(history).get(task) ?? [];
    const first = steps.findIndex(({ status }) => status.state === state && status.attempt === attempt);
    const step = steps[first];
    if (step === undefined || step.entry.order > order) {
      report(`${session} read that ${name(task, attempt)} is ${state}, which was not in the journal`, task);
      continue;
    }
    // Where a read may be answered from a little while ago, only one and the same master never goes back.
    const key = history.conditions.hasStaleReads ? `${session} ${life} ${task}` : `${session} ${task}`;
    const last = steps.findLastIndex(({ status }) => status.state === state && status.attempt === attempt);
    const before = reached.get(key) ?? -1;
    if (last < before)
      report(`${session} read that ${name(task, attempt)} is ${state} after it had read of something later`, task);
    reached.set(key, Math.max(before, first));
  }
});
