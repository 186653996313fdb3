/** Which finished tasks have outlived their retention, or are too many. */
import { descendantRange, mayHaveChildren } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskState } from "../../model/task.ts";
import type { ExpiredTask, Retention } from "../../ports/store.ts";
import { toStatus } from "../documents.ts";
import { retainedSince, withFamilies } from "../familyRetention.ts";

interface Row {
  readonly id: TaskId;
  readonly ord: number;
  readonly queue: string;
  readonly state: TaskState;
  readonly status: string;
}

/** Those that ended first come first; families go whole. */
export function findExpired(
  rows: readonly Row[],
  { endedBefore, keepMax, pinned = [] }: Retention,
  max: number,
): Promise<ExpiredTask[]> {
  const finished = rows.flatMap(({ id, ord, queue, state, status: text }) => {
    if (!isFinal(state)) return [];
    const status = toStatus(text);
    const hasChildren = mayHaveChildren(status.family);
    return [{ id, ord, queue, state, hasChildren, endedAt: retainedSince(id, status) }];
  });
  const surplus = finished.length - keepMax;
  const roots = finished
    .flatMap(({ endedAt, ...row }) => (endedAt === null ? [] : [{ ...row, endedAt, isDue: endedAt < endedBefore }]))
    .sort((one, other) => one.endedAt - other.endedAt || one.ord - other.ord)
    .filter(({ isDue }, index) => index < surplus || isDue)
    .slice(0, max + pinned.length)
    .map(({ id, queue, state, hasChildren, isDue }) => ({ id, queue, state, hasChildren, isDue }));
  return withFamilies(roots, { surplus, max, pinned }, (root, count) => {
    const { from, until } = descendantRange(root);
    const below = finished.filter(({ id }) => id >= from && id < until).slice(0, count);
    return below.map(({ id, queue, state }) => ({ id, queue, state }));
  });
}
