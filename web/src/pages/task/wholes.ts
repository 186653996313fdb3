/** Which graph, broadcast or job a task belongs to that is only retried as a whole, as the master decides it. */
import { ApiError, get, segment } from "../../api/client.ts";
import type { Task } from "../../api/schema.ts";
import { finalStates } from "../../parts/states.tsx";
import { jobKind } from "../mapReduce/job.ts";

/** `alone`: it is retried by itself. `whole`: that task is retried instead. `open`: it belongs to one that has not ended yet. */
export type Around = { readonly kind: "alone" } | { readonly kind: "whole" | "open"; readonly task: Task };

export const alone: Around = { kind: "alone" };

/** What a task is called of which nothing is retried alone; null for others. */
export function wholeName({ kind, broadcast }: Pick<Task, "kind" | "broadcast">): "graph" | "broadcast" | "job" | null {
  if (kind === jobKind) return "job";
  if (broadcast === true) return "broadcast";
  return kind === "graph" ? "graph" : null;
}

/** Null for a task that is not there for whoever asks: the master then says what is to be done. */
export async function readTask(id: string): Promise<Task | null> {
  try {
    return await get<Task>(`/v1/tasks/${segment(id)}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** @param parent of the task in question. @returns the outermost whole among the ended ones above it */
export async function aroundBelow(parent: string, read = readTask): Promise<Around> {
  let around = alone;
  for (let id: string | undefined = parent; id !== undefined; ) {
    const task: Task | null = await read(id);
    if (task === null) return around;
    const name = wholeName(task);
    if (!finalStates.has(task.state)) return name === null || name === "job" ? around : { kind: "open", task };
    if (name !== null) around = { kind: "whole", task };
    id = task.parent;
  }
  return around;
}
