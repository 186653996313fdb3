/** I10: two attempts of a task run at once only where the first one's worker had been out of reach; in calm runs, never. */
import { remoteKind } from "../../model/kinds/remote.ts";
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";
import { type Execution, executionsByTask, name, type Step, specs, stepsByTask } from "./reading.ts";

export const overlapAccounted = checker("I10", "overlap is accounted for", (history, report) => {
  for (const [task, executions] of executionsByTask(history)) {
    const ordered = [...executions].sort((left, right) => left.attempt - right.attempt);
    for (const [index, later] of ordered.entries()) {
      const earlier = ordered[index - 1];
      if (earlier === undefined || later.attempt === earlier.attempt) continue;
      if (earlier.endOrder !== null && earlier.endOrder < later.startOrder) continue;
      const what = `${name(task, later.attempt)} on ${later.worker} began while ${name(task, earlier.attempt)} ran on ${earlier.worker}`;
      if (history.conditions.isCalm && !isStoppingJob(history, earlier)) report(`${what}, in a calm run`, task);
      else if (!wasOutOfReach(history, earlier, later) && !isStoppingJob(history, earlier))
        report(`${what}, which had been in reach all the time`, task, earlier.worker);
    }
  }
});

/** True if something had come between the earlier one's worker and its leader before the later one was decided. */
function wasOutOfReach(history: History, earlier: Execution, later: Execution): boolean {
  const { suspectMs } = history.conditions;
  const assigned = assignment(history, earlier);
  const decided = assignment(history, later);
  if (assigned === undefined || decided === undefined) return false;
  // The trouble may have begun before the earlier one was assigned: a silent worker is given work until it is suspected.
  const from = assigned.entry.landedAt - 2 * suspectMs;
  let heardAt: number | null = null;
  for (const event of history.events.slice(0, decided.entry.order)) {
    if (event.at < from) continue;
    if (event.kind === "heard" && event.worker === earlier.worker) {
      if (heardAt !== null && event.at - heardAt > suspectMs) return true;
      heardAt = event.at;
    }
    const isItsOwn = "worker" in event && event.worker === earlier.worker && event.kind === "stream-closed";
    const isItsMachine =
      "node" in event && (event.node === earlier.worker || event.node.startsWith("master")) && event.kind !== "start";
    const isTrouble = event.kind === "trouble" && (event.nodes.length === 0 || event.nodes.includes(earlier.worker));
    if (isItsOwn || isItsMachine || isTrouble) return true;
  }
  return decided.entry.landedAt - (heardAt ?? from) > suspectMs;
}

/** True if its time was up, and it still stops its job at a service: the next attempt takes that job up. */
function isStoppingJob(history: History, { task, attempt }: Execution): boolean {
  if (specs(history).get(task)?.spec.kind !== remoteKind.name) return false;
  const steps = stepsByTask(history).get(task) ?? [];
  return steps.some(({ status }) => status.attempt === attempt && status.error?.code === "timeout");
}

function assignment(history: History, { task, attempt }: Execution): Step | undefined {
  return stepsByTask(history)
    .get(task)
    ?.find(({ status }) => status.attempt === attempt && status.state === "running");
}
