/** Finds in a finished history what has come up of graphs and of tasks that wait for tasks. */

import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskSpec, type TaskState } from "../../model/task.ts";
import type { History } from "../checkers/ledger.ts";
import type { Coverage } from "./coverage.ts";

export function noteGraphs(coverage: Coverage, { entries }: History): void {
  const specs = new Map<TaskId, TaskSpec>();
  const states = new Map<TaskId, TaskState>();
  const outcomes = new Set<TaskState>();
  /** How the tasks had ended that a retry has opened. */
  const retried = new Map<TaskId, TaskState>();
  const isGraph = (id: TaskId | undefined): boolean => id !== undefined && specs.get(id)?.kind === "graph";
  const hasBlocked = (graph?: TaskId): boolean =>
    [...states].some(([id, state]) => {
      const { parent } = specs.get(id) ?? {};
      return state === "blocked" && isGraph(parent) && (graph === undefined || parent === graph);
    });
  for (const { writes } of entries) {
    for (const write of writes) {
      if (write.kind === "marker" && hasBlocked()) coverage.saw("a leader died while a graph had blocked nodes");
      if (write.kind === "record" && write.collection === "inputs") coverage.saw("an output was put into an input");
      if (write.kind === "reopen-task") retried.set(write.head.id, write.state);
      if (write.kind === "spec") {
        const { id, parent, after = [] } = write.spec;
        if (!specs.has(id) && parent === undefined && after.some((other) => isFinal(states.get(other) ?? "created")))
          coverage.saw("a task waited for one that had ended before");
        specs.set(id, write.spec);
        if (isGraph(id) && isGraph(parent)) coverage.saw("a node of a graph was a graph");
      }
      if (write.kind !== "status") continue;
      const { id, state, family } = write.status;
      if (state === "skipped" && isGraph(specs.get(id)?.parent)) coverage.saw("a node was skipped");
      if (isGraph(id) && family?.ending === "cancelled" && hasBlocked(id))
        coverage.saw("a graph was cancelled with blocked nodes in it");
      if (isGraph(id) && isFinal(state)) outcomes.add(state);
      if (isGraph(id) && state === "success" && retried.has(id)) coverage.saw("a retried graph succeeded");
      if (state === "running" && retried.get(id) === "skipped")
        coverage.saw("a node that had been skipped ran after a retry");
      states.set(id, state);
    }
  }
  if (outcomes.has("success") && outcomes.has("failed")) coverage.saw("a graph succeeded, and one failed");
}
