/** Finds children without a name of their own by what lists show for them: their kind with their number. */
import { indexOf, isDescendant } from "../../../../src/model/family.ts";
import type { TaskId } from "../../../../src/model/ids.ts";
import type { Task, TaskPage } from "../../api/schema.ts";

/** No filter of the API knows numbers: what has the kind as its name is read page by page, and no more of them than this. */
const pagesMax = 10;

export interface Numbered {
  readonly tasks: readonly Task[];
  /** So many tasks were looked through. */
  readonly looked: number;
  /** True if there were no more of them. */
  readonly isWhole: boolean;
}

export const nothingNumbered: Numbered = { tasks: [], looked: 0, isWhole: true };

/** Reads on until a page holds one. @param read the page at a cursor, of tasks whose name is a kind */
export async function findNumbered(
  read: (cursor: string | undefined) => Promise<Pick<TaskPage, "tasks" | "cursor">>,
  index: number,
): Promise<Numbered> {
  let looked = 0;
  let cursor: string | undefined;
  for (let pages = 0; pages < pagesMax; pages++) {
    const page = await read(cursor);
    looked += page.tasks.length;
    const tasks = page.tasks.filter(
      ({ id, name, kind }) => name === kind && isDescendant(id) && indexOf(id as TaskId) === index,
    );
    if (tasks.length > 0 || page.cursor === null) return { tasks, looked, isWhole: page.cursor === null };
    cursor = page.cursor;
  }
  return { tasks: [], looked, isWhole: false };
}
