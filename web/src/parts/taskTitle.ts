/** What a task is called on the screen. */

import { indexOf, isDescendant, prefixOf } from "../../../src/model/family.ts";
import type { TaskId } from "../../../src/model/ids.ts";
import type { Task } from "../api/schema.ts";

/**
 * Its name; where nobody gave it one, what it was made from says more than its id. Children of one set that are called after their
 * kind carry their number in it, which begins at 0 as in messages about them.
 * @param shown the tasks beside it: the first of a set has a number if more of that set are among them
 */
export function titleOf(
  { id, name, kind, origin }: Pick<Task, "id" | "name" | "kind" | "origin">,
  shown: readonly Pick<Task, "id">[] = [],
): string {
  if (name === id && origin !== undefined) return origin.template;
  if (name !== kind || !isDescendant(id)) return name;
  const index = indexOf(id as TaskId);
  const prefix = prefixOf(id as TaskId);
  const isOneOfMany = index > 0 || shown.some((other) => other.id !== id && other.id.startsWith(prefix));
  return isOneOfMany ? `${name} ${index}` : name;
}
