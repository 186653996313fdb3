/** I38: what a client reads is in the journal for good, and a client that stays with one master never reads backwards. */
import { checker } from "./checker.ts";
import { eventsOf, name, type Step, stepsByTask } from "./reading.ts";

interface Seen {
  readonly order: number;
  /** The first step of the task that it may have been. */
  readonly step: number;
}

export const readsGoForward = checker("I38", "reads go forward", (history, report) => {
  const seen = new Map<string, Seen[]>();
  for (const { session, life, task, state, attempt, order, asked } of eventsOf(history, "read")) {
    const steps = stepsByTask(history).get(task) ?? [];
    const isIt = ({ status }: Step): boolean => status.state === state && status.attempt === attempt;
    const first = steps.findIndex(isIt);
    const step = steps[first];
    if (step === undefined || step.entry.order > order) {
      report(`${session} read that ${name(task, attempt)} is ${state}, which was not in the journal`, task);
      continue;
    }
    // Where a read may be answered from a little while ago, only one and the same master never goes back.
    const key = history.conditions.hasStaleReads ? `${session} ${life} ${task}` : `${session} ${task}`;
    const own = seen.get(key) ?? [];
    seen.set(key, own);
    const before = Math.max(-1, ...own.filter((read) => read.order < asked).map((read) => read.step));
    if (steps.findLastIndex(isIt) < before)
      report(`${session} read that ${name(task, attempt)} is ${state} after it had read of something later`, task);
    own.push({ order, step: first });
  }
});
