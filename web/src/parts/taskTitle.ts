/** What a task is called on the screen. */
import type { Task } from "../api/schema.ts";

/** Its name; where nobody gave it one, what it was made from says more than its id. */
export function titleOf({ id, name, origin }: Pick<Task, "id" | "name" | "origin">): string {
  return name === id && origin !== undefined ? origin.template : name;
}
