/** What the store knows of tasks that the scheduler does not keep in memory: those that have ended. */
import type { Lookup } from "../../core/scheduler/inputs.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { type Actor, coversQueue } from "../../model/principals/principal.ts";
import { isFinal, type TaskDocument } from "../../model/task.ts";
import type { Store } from "../../ports/store.ts";
import type { MasterState } from "../masterState.ts";
import type { QueueNotes } from "../streams/queueNotes.ts";
import { readEnds } from "./familyReads.ts";

type ReadTask = (id: TaskId) => Promise<TaskDocument | null>;

/** The queue of a task; a promise only where the store has to be asked. */
export function findQueue(
  id: TaskId,
  { scheduler }: MasterState,
  notes: QueueNotes,
  readTask: ReadTask,
): string | null | Promise<string | null> {
  const known = scheduler?.queueOf(id) ?? notes.get(id);
  if (known !== undefined) return known;
  const note = notes.noteFrom();
  return readTask(id).then((task) => {
    if (task !== null) note(id, task.queue);
    return task?.queue ?? null;
  });
}

/**
 * Looks for why the scheduler does not know a task. Resolves only if what was asked for was done before it ended.
 * @throws OutlastError `already-final`, or `not-found`: it is not there, or not for this actor; or the error itself if it is another one
 */
export async function explainMissing(
  id: TaskId,
  error: unknown,
  by: Actor | undefined,
  readTask: ReadTask,
  isDone: (task: TaskDocument) => boolean = () => false,
): Promise<void> {
  if (!(error instanceof OutlastError) || error.code !== "not-found") throw error;
  const task = await readTask(id);
  if (task === null || !isFinal(task.state) || !coversQueue(by?.queues, task.queue))
    throw new OutlastError("not-found", `There is no task ${id}.`);
  if (isDone(task)) return;
  throw new OutlastError("already-final", `Task ${id} has already ended (${task.state}).`, { state: task.state });
}

/** What the store knows of tasks that a submission names by their ids, and of those that it waits for. Null if it names none. */
export async function lookUp(
  store: Store,
  named: readonly TaskId[],
  after: readonly TaskId[],
  by: Actor | undefined,
  queueOf: (id: TaskId) => string | null | Promise<string | null>,
): Promise<Lookup | null> {
  if (named.length === 0 && after.length === 0) return null;
  const found = await store.findTasks(named);
  // Read later than what was found: a task that ends in between is known to the scheduler.
  const ended = await readEnds(store, after);
  // What lies outside of the rights of the actor is unknown to it.
  if (by?.queues !== undefined)
    for (const id of ended.keys()) if (!coversQueue(by.queues, (await queueOf(id)) ?? "")) ended.delete(id);
  return { ...found, ended };
}
