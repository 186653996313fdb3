/** Says in the words of a graph why one of its nodes did not run: the core, which holds no names, has written the id of the other one. */
import type { AttemptError } from "../attemptError.ts";
import type { TaskId } from "../ids.ts";

/** @param names of the tasks that it waits for, by their ids */
export function withNodeNames(error: AttemptError, names: ReadonlyMap<TaskId, string>): AttemptError {
  if (error.code !== "skipped") return error;
  const id = [...names.keys()].find((each) => error.message.includes(each));
  return id === undefined ? error : { ...error, message: error.message.replace(id, () => names.get(id) ?? id) };
}
