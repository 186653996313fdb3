/** What only the memory of a master knows of unfinished tasks: why they wait, and how many of their children are in each state. */
import type { ChildCounts, TaskDocument, TaskState } from "../../model/task.ts";
import type { SchedulerState } from "./state.ts";
import type { WaitingReasons } from "./waitingReasons.ts";

/** The same documents with `waiting` and `childCounts`, where there is something to say. */
export function addViews(
  state: SchedulerState,
  documents: readonly TaskDocument[],
  reasons: WaitingReasons,
): TaskDocument[] {
  return documents.map((document) => {
    const task = state.tasks.get(document.id);
    // The document may be of another moment than the memory: then nothing is said that would contradict it.
    const isSame = task !== undefined && task.state === document.state && task.attempt === document.attempt;
    const waiting = isSame ? reasons.of(task, document.changedAt) : null;
    const childCounts = countChildren(state, document);
    return { ...document, ...(waiting !== null && { waiting }), ...(childCounts !== null && { childCounts }) };
  });
}

/** Of the present generation; null for a task without children. Kept with every end of a child, never recounted. */
function countChildren(state: SchedulerState, { id, family }: TaskDocument): ChildCounts | null {
  const live = state.tasks.get(id)?.family ?? null;
  const made = live?.children ?? family?.children ?? 0;
  if (made === 0) return null;
  const ended = (live === null ? family?.ended : live.ended) ?? { succeeded: 0, failed: 0, cancelled: 0 };
  const counts: Partial<Record<TaskState, number>> = {};
  const add = (name: TaskState, count: number): void => {
    if (count > 0) counts[name] = (counts[name] ?? 0) + count;
  };
  const sets = [{ ...ended, unfinished: {} }, ...state.families.of(id)];
  for (const { succeeded, failed, cancelled, skipped = 0, unfinished } of sets) {
    add("skipped", skipped);
    add("success", succeeded);
    add("failed", failed);
    add("cancelled", cancelled);
    for (const [name, count] of Object.entries(unfinished) as [TaskState, number][]) add(name, count);
  }
  return counts;
}
