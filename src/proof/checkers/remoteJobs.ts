/** I53: in the end no job of a service goes on whose task is over, unless somebody has cancelled the task that was to stop it. */
import { remoteStopKindName } from "../../model/kinds/remote.ts";
import { isFinal } from "../../model/task.ts";
import { checker } from "./checker.ts";
import type { History } from "./ledger.ts";
import { eventsOf, specs, stepsByTask } from "./reading.ts";

export const remoteJobs = checker("I53", "jobs of services end with their tasks", (history, report) => {
  const ended = new Set(eventsOf(history, "remote-ended").map(({ key }) => key));
  const leftAlone = keysOfCancelledStops(history);
  for (const { key, task } of eventsOf(history, "remote-started")) {
    const last = stepsByTask(history).get(task)?.at(-1)?.status;
    if (ended.has(key) || leftAlone.has(key) || (last !== undefined && !isFinal(last.state))) continue;
    report(`job ${key} of ${task} goes on although its task is ${last?.state ?? "unknown"}`, task);
  }
});

function keysOfCancelledStops(history: History): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const [task, { spec }] of specs(history)) {
    if (spec.kind !== remoteStopKindName) continue;
    const isCancelled =
      stepsByTask(history)
        .get(task)
        ?.some(({ status }) => status.state === "cancelled") ?? false;
    if (isCancelled) keys.add((spec.input as { readonly key: string }).key);
  }
  return keys;
}
