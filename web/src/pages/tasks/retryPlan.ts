/** What is retried for tasks that somebody has chosen: those that stand alone, and each graph once of which some are nodes. */
import type { Task } from "../../api/schema.ts";
import { isRetriable } from "../task/retryDialog.tsx";
import { type Around, alone, aroundBelow, readTask } from "../task/wholes.ts";

/** Calls that are under way at a time. */
export const callsAtATime = 8;

export interface RetryPlan {
  /** Retried by themselves. */
  readonly alone: readonly Task[];
  /** Retried as a whole, each once. */
  readonly wholes: readonly Task[];
  /** Of the chosen tasks, those that belong to these. */
  readonly parts: readonly Task[];
  /** Of the chosen tasks, those that belong to something that has not ended yet, or did not fail. */
  readonly left: readonly Task[];
}

/** @param tasks that can be retried. @throws ApiError */
export async function planRetries(tasks: readonly Task[], read = readTask): Promise<RetryPlan> {
  const known = new Map<string, Promise<Task | null>>(tasks.map((task) => [task.id, Promise.resolve(task)]));
  const readOnce = (id: string) => {
    const found = known.get(id) ?? read(id);
    known.set(id, found);
    return found;
  };
  const parents = [...new Set(tasks.flatMap(({ parent }) => parent ?? []))];
  const around = new Map<string, Around>();
  const work = async () => {
    for (let parent = parents.shift(); parent !== undefined; parent = parents.shift())
      around.set(parent, await aroundBelow(parent, readOnce));
  };
  await Promise.all(Array.from({ length: callsAtATime }, work));

  const of = ({ parent }: Task) => (parent === undefined ? alone : (around.get(parent) ?? alone));
  const wholes = new Map<string, Task>();
  const [parts, left]: [Task[], Task[]] = [[], []];
  for (const task of tasks) {
    const found = of(task);
    if (found.kind === "alone") continue;
    if (found.kind === "open" || !isRetriable(found.task)) left.push(task);
    else {
      parts.push(task);
      wholes.set(found.task.id, found.task);
    }
  }
  const byThemselves = tasks.filter((task) => of(task).kind === "alone" && !wholes.has(task.id));
  return { alone: byThemselves, wholes: [...wholes.values()], parts, left };
}
