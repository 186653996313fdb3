/** Pages of what a task remembers, and of how its children have ended, read from the store. */
import { inputId, type ResolvedInput } from "../../model/collections/inputs.ts";
import {
  type ChildResult,
  type ChildrenPage,
  childId,
  childPrefix,
  type OpenFamily,
  type StepsPage,
  stepId,
} from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { type FinalState, isFinal, type TaskDocument } from "../../model/task.ts";
import type { Store } from "../../ports/store.ts";
import { readStatuses } from "./graphReads.ts";

export async function readStepsPage(
  store: Store,
  place: { task: TaskId; epoch: number; after: string | null; limit?: number; family?: OpenFamily },
): Promise<StepsPage> {
  const { task, epoch, after, limit = limits.pageMax, family } = place;
  const idPrefix = stepId(task, epoch, "");
  const { records, isMore } = await store.listRecords("steps", {
    idPrefix,
    ...(after !== null && { after: idPrefix + after }),
    limit,
  });
  const steps = records.map(({ id, value }) => ({ key: id.slice(idPrefix.length), step: value }));
  const next = isMore ? (steps.at(-1)?.key ?? null) : null;
  return { steps, next, ...(after === null && family !== undefined && { family }) };
}

/** The children of a set that its task has taken notice of: all of them have ended. */
export async function readChildrenPage(
  store: Store,
  { task, epoch, key, from }: { task: TaskId; epoch: number; key: string; from: number },
): Promise<ChildrenPage> {
  const step = await store.readRecord("steps", stepId(task, epoch, key));
  const total = step !== null && "children" in step ? step.children.total : 0;
  const prefix = childPrefix(task, epoch, key);
  const children: ChildResult[] = [];
  let textLength = 0;
  let index = from;
  for (; index < total && index < from + limits.childrenPerItemMax && textLength < limits.pageTextMax; index += 1) {
    const document = await store.readTask(childId(prefix, index));
    // Only nodes of graphs are skipped. Retention keeps families whole, so a child is missing only where somebody has changed the store by hand.
    if (document === null || !isFinal(document.state) || document.state === "skipped") continue;
    const child = toResult(index, document, document.state);
    textLength += JSON.stringify(child).length;
    children.push(child);
  }
  return { children, next: index < total ? index : null };
}

function toResult(index: number, { id, name, output, error }: TaskDocument, state: ChildResult["state"]): ChildResult {
  const isFailure = state !== "success";
  return {
    index,
    id,
    name,
    state,
    ...(output !== undefined && { output }),
    ...(isFailure && error !== undefined && { error }),
  };
}

/** How those of these tasks have ended that have. */
export async function readEnds(store: Store, ids: readonly TaskId[]): Promise<Map<TaskId, FinalState>> {
  const ends = new Map<TaskId, FinalState>();
  for (const [id, { state }] of await readStatuses(store, ids)) if (isFinal(state)) ends.set(id, state);
  return ends;
}

/** The input of a task that takes outputs, as it was resolved for the present generation; null before that. */
export function readResolvedInput(store: Store, { id, family }: TaskDocument): Promise<ResolvedInput | null> {
  return store.readRecord("inputs", inputId(id, family?.epoch ?? 0));
}
