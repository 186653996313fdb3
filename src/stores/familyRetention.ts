/** Families are forgotten whole: what is below an expired root goes first, and the root itself once nothing is left. */
import { isDescendant } from "../model/family.ts";
import type { TaskId } from "../model/ids.ts";
import { isFinal, type TaskStatus } from "../model/task.ts";
import type { ExpiredTask, Retention } from "../ports/store.ts";

/** From when on a task's retention counts: when it ended. Null for one that has not, or that goes with its root. */
export function retainedSince(id: TaskId, { state, changedAt }: TaskStatus): number | null {
  return isFinal(state) && !isDescendant(id) ? changedAt : null;
}

export interface ExpiredRoot extends ExpiredTask {
  readonly hasChildren: boolean;
  /** True if it has outlived its retention; otherwise it only is one of too many. */
  readonly isDue: boolean;
}

/**
 * At most `max` tasks: for each root what is below it, or else itself. There must be `max` roots besides the pinned ones, if there are.
 * @param surplus how many finished tasks there are beyond those that may be kept; a family that is begun is counted whole
 */
export async function withFamilies(
  roots: readonly ExpiredRoot[],
  { surplus, max, pinned = [] }: { readonly surplus: number; readonly max: number } & Pick<Retention, "pinned">,
  descendantsOf: (root: TaskId, max: number) => ExpiredTask[] | Promise<ExpiredTask[]>,
): Promise<ExpiredTask[]> {
  const found: ExpiredTask[] = [];
  const staying = new Set(pinned);
  for (const { hasChildren, isDue, ...root } of roots) {
    if (staying.has(root.id)) continue;
    if (found.length >= max || (!isDue && found.length >= surplus)) break;
    const below = hasChildren ? await descendantsOf(root.id, max - found.length) : [];
    found.push(...(below.length > 0 ? below : [root]));
  }
  return found;
}
