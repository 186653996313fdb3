/** Finds in a finished history which situations of jobs of services came up. */
import { remoteKind, remoteStopKindName } from "../../model/kinds/remote.ts";
import type { History } from "../checkers/ledger.ts";
import { executionsByTask, specs, stepsByTask } from "../checkers/reading.ts";
import type { Coverage } from "./coverage.ts";

export function noteRemoteJobs(coverage: Coverage, history: History): void {
  const owed = new Set<string>();
  for (const { writes } of history.entries)
    for (const write of writes)
      if (write.kind === "record" && write.collection === "dyingHolds" && write.value?.stop !== undefined)
        owed.add(write.value.stop.id);
  for (const [task, { spec }] of specs(history)) {
    const states = stepsByTask(history).get(task) ?? [];
    if (spec.kind === remoteKind.name) {
      const hasDied =
        executionsByTask(history)
          .get(task)
          ?.some(({ end }) => end === "died") ?? false;
      const hasJob = states.some(({ status }) => status.openRun !== undefined && status.state === "killed");
      if (hasDied && hasJob) coverage.saw("a job of a service outlived its worker");
    }
    if (spec.kind !== remoteStopKindName) continue;
    if (states.at(-1)?.status.state !== "success") continue;
    if (owed.has(task)) coverage.saw("a job was stopped by a task for that, since its worker had not done so");
    else coverage.saw("a job was stopped by a task for that, since its task had no worker");
  }
}
