/** The children of a task by generation: a retry from scratch begins a new one, and those made before it stay to be looked at. */

import { ownedRecordId } from "../../model/collections/table.ts";
import { childPrefix, prefixOf } from "../../model/family.ts";
import { limits } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { Store, TaskPage, TaskQuery } from "../../ports/store.ts";

export const generations = ["present", "earlier"] as const;
export type Generation = (typeof generations)[number];

export interface GenerationReads {
  readonly store: Pick<Store, "readRecord">;
  readonly list: (query: TaskQuery) => Promise<TaskPage>;
}

/** A page may be short, even empty, before the end: one call looks at `limits.generationPagesMax` pages of children. */
export async function childrenOf(
  { store, list }: GenerationReads,
  parent: TaskDocument,
  wanted: Generation,
  query: TaskQuery,
): Promise<TaskPage> {
  const epoch = parent.family?.epoch ?? 0;
  // Most tasks have one generation only.
  if (epoch === 0) return wanted === "present" ? list(query) : { tasks: [], cursor: null };
  const isPresent = new Map<string, boolean>();
  const isWanted = async ({ id }: TaskDocument): Promise<boolean> => {
    const prefix = prefixOf(id);
    const known = isPresent.get(prefix) ?? (await isOfGeneration(store, parent, epoch, prefix));
    isPresent.set(prefix, known);
    return known === (wanted === "present");
  };
  const tasks: TaskDocument[] = [];
  let { cursor } = query;
  for (let pages = 0; pages < limits.generationPagesMax && tasks.length < query.limit; pages += 1) {
    const page = await list({ ...query, cursor, limit: query.limit - tasks.length });
    for (const task of page.tasks) if (await isWanted(task)) tasks.push(task);
    ({ cursor } = page);
    if (cursor === null) break;
  }
  return { tasks, cursor };
}

/** A set that is open has a record; once it is over, another one. */
async function isOfGeneration(
  store: Pick<Store, "readRecord">,
  { id }: TaskDocument,
  epoch: number,
  prefix: string,
): Promise<boolean> {
  const record =
    (await store.readRecord("childSets", prefix)) ?? (await store.readRecord("endedSets", ownedRecordId(id, prefix)));
  return record !== null && childPrefix(id, epoch, record.key) === prefix;
}
