/** Which tasks a list holds, in stores that look at one row after the other. */
import type { TaskId, WorkerId } from "../model/ids.ts";
import { coversQueue } from "../model/principals/principal.ts";
import type { TaskState } from "../model/task.ts";
import type { TaskQuery } from "../ports/store.ts";

/** A task as far as filters need it. */
interface Candidate {
  readonly parent: TaskId | null;
  readonly name: string;
  readonly queue: string;
  readonly state: TaskState;
  readonly host: WorkerId | null | undefined;
}

export function matches(row: Candidate, query: Omit<TaskQuery, "cursor" | "limit" | "order">): boolean {
  const { states, queue, queues, name, host, parent, isRoot = false } = query;
  return (
    (parent === undefined || parent === row.parent) &&
    (!isRoot || row.parent === null) &&
    (states === undefined || states.includes(row.state)) &&
    (queue === undefined || queue === row.queue) &&
    coversQueue(queues, row.queue) &&
    (name === undefined || name === row.name) &&
    (host === undefined || host === row.host)
  );
}
