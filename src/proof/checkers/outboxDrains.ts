/** I34: every result is finally settled, and no outbox keeps anything. */
import { checker } from "./checker.ts";
import { eventsOf, executions, name } from "./reading.ts";

export const outboxDrains = checker("I34", "the outbox drains", (history, report) => {
  for (const [worker, count] of history.final.outboxes) {
    if (count > 0) report(`the outbox of ${worker} still holds ${count} results`, worker);
  }
  // Where workers can die or lose their disk, a result may go before anyone keeps it.
  if (!history.conditions.isCalm && !history.conditions.sparesWorkers) return;
  const settled = new Set(eventsOf(history, "sent-verdict").map(({ task, attempt }) => name(task, attempt)));
  for (const { task, attempt, end, worker } of executions(history)) {
    if (end !== null && !settled.has(name(task, attempt)))
      report(`${worker} never learned what became of its ${end} of ${name(task, attempt)}`, task, worker);
  }
});
