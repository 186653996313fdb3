/** Which task a piece of output belongs to, where an id was used again after its first task was forgotten. */
import type { LoggedAttempt } from "./protocol.ts";
import type { TaskDocument } from "./task.ts";

/**
 * True unless the output comes from an attempt of an earlier task that had the same id. Older workers do not say when an
 * attempt was assigned: their output is taken for the present task's.
 */
export function isOutputOf(
  task: Pick<TaskDocument, "createdAt" | "attempt" | "assignedAt">,
  { attempt, assignedAt }: LoggedAttempt,
): boolean {
  if (assignedAt === undefined) return true;
  // Of its earlier attempts a task does not say when they were assigned.
  if (attempt < task.attempt) return assignedAt >= task.createdAt;
  return attempt === task.attempt && assignedAt === task.assignedAt;
}
