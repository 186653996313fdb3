/** Finds in a finished history which situations of families, signals and templates came up. */
import type { TaskId } from "../../model/ids.ts";
import type { TaskStatus } from "../../model/task.ts";
import type { History } from "../checkers/ledger.ts";
import { executions } from "../checkers/reading.ts";
import type { Coverage } from "./coverage.ts";

export function noteFamilies(coverage: Coverage, history: History): void {
  const statuses = new Map<TaskId, TaskStatus>();
  const pending = new Map<string, number>();
  const latest = new Map<string, number>();
  const deaths = new Set(executions(history).flatMap(({ token, end }) => (end === "died" ? [token] : [])));
  for (const { seq, writes } of history.entries) {
    const isTakeOver = writes.some((write) => write.kind === "marker");
    if (isTakeOver && [...statuses.values()].some((status) => (status.family?.children ?? 0) > 0))
      coverage.saw("a task with children was taken over by the next leader");
    for (const write of writes) {
      if (write.kind === "spec" && write.spec.parent !== undefined) coverage.saw("a task got children");
      if (write.kind === "spec" && write.spec.origin !== undefined) {
        const { template, version } = write.spec.origin;
        if (version < (latest.get(template) ?? 0))
          coverage.saw("a task was made from a version that was no longer the latest");
      }
      if (write.kind === "status") {
        noteStatus(coverage, write.status);
        if (["success", "failed", "cancelled"].includes(write.status.state)) statuses.delete(write.status.id);
        else statuses.set(write.status.id, write.status);
      }
      if (write.kind !== "record" || write.value === null) continue;
      if (write.collection === "templates") latest.set(write.id, write.value.version);
      if (write.collection === "signals")
        for (const { id } of write.value.pending) if (!pending.has(id)) pending.set(id, seq);
      if (write.collection !== "steps") continue;
      const step = write.value;
      if ("value" in step && deaths.has((step.value as { by?: string } | null)?.by ?? ""))
        coverage.saw("a step was remembered over the loss of its worker");
      if (!("signal" in step) || step.signal === null) continue;
      coverage.saw("a signal was delivered");
      if ((pending.get(step.signal.id) ?? seq) < seq) coverage.saw("a signal came before the wait for it");
    }
  }
}

function noteStatus(coverage: Coverage, { family }: TaskStatus): void {
  if (family === undefined) return;
  const { ending, waits = [] } = family;
  if (ending === "failed" || ending === "cancelled")
    coverage.saw("a task was cancelled or failed while it had children");
  if (waits.some(({ kind }) => kind === "sleep") && waits.some(({ kind }) => kind === "signal"))
    coverage.saw("a task slept and waited for a signal at once");
}
