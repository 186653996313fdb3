/** What a task is called on the screen. */

import { indexOf, isDescendant, prefixOf } from "../../../src/model/family.ts";
import type { TaskId } from "../../../src/model/ids.ts";
import type { Task, TaskAttempt } from "../api/schema.ts";

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
  const prefix = prefixOf(id as TaskId);
  const isAlone =
    isFirstOfSet({ id, name, kind }) && !shown.some(({ id: other }) => other !== id && other.startsWith(prefix));
  return isAlone ? name : `${name} ${indexOf(id as TaskId)}`;
}

/** A child that is called after its kind, and may be the only one of its set: those beside it tell. */
export function isFirstOfSet({ id, name, kind }: Pick<Task, "id" | "name" | "kind">): boolean {
  return name === kind && isDescendant(id) && indexOf(id as TaskId) === 0;
}

/**
 * The same for attempts, which do not say the kind of their task: children of one set that share a name are called after their kind.
 * @returns the attempts with the titles of their tasks as names; those that are called otherwise are other objects
 */
export function titledAttempts(attempts: readonly TaskAttempt[]): readonly TaskAttempt[] {
  const setOf = ({ task, name }: TaskAttempt) => `${isDescendant(task) ? prefixOf(task as TaskId) : task} ${name}`;
  const sets = Map.groupBy(attempts, setOf);
  return attempts.map((attempt) => {
    const { task: id, name } = attempt;
    const shown = (sets.get(setOf(attempt)) ?? []).map(({ task }) => ({ id: task }));
    const [first] = shown;
    const isShared = isDescendant(id) && shown.some((other) => other.id !== first?.id);
    return isShared ? { ...attempt, name: titleOf({ id, name, kind: name }, shown) } : attempt;
  });
}

/** The name and the number of a title that ends in one; null for all others. */
export function numberedTitle(title: string): { readonly name: string; readonly index: number } | null {
  const { name, digits } = /^(?<name>.+) (?<digits>\d{1,7})$/.exec(title.trim())?.groups ?? {};
  return name === undefined || digits === undefined ? null : { name, index: Number(digits) };
}
