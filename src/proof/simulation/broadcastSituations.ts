/** Finds in a finished history what came up with broadcasts. */
import type { TaskId } from "../../model/ids.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { History } from "../checkers/ledger.ts";
import type { Coverage } from "./coverage.ts";

export function noteBroadcasts(coverage: Coverage, { entries }: History): void {
  const specs = new Map<TaskId, TaskSpec>();
  const killed = new Set<TaskId>();
  for (const { writes } of entries) {
    for (const write of writes) {
      if (write.kind === "spec") specs.set(write.spec.id, write.spec);
      if (write.kind !== "status") continue;
      const { id, state, error } = write.status;
      if (specs.get(id)?.broadcast === true && state === "success") coverage.saw("a task was run on every worker");
      const { parent } = specs.get(id) ?? {};
      if (parent !== undefined && specs.get(parent)?.broadcast === true) {
        if (state === "killed") killed.add(id);
        if (state === "success" && killed.has(id))
          coverage.saw("a worker died under a child of a broadcast, and ran it again");
        if (state === "failed" && error?.code === "worker-gone")
          coverage.saw("a child of a broadcast failed since its worker was gone");
      }
    }
  }
}
