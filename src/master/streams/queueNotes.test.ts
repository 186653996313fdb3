/** Which queue a task was in that has ended: never that of an earlier task with its id. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { MasterState } from "../masterState.ts";
import { findQueue } from "../service/taskLookups.ts";
import { QueueNotes } from "./queueNotes.ts";

const id = "t" as TaskId;
const state = { scheduler: null } as MasterState;
const taskIn = (queue: string) => ({ id, queue }) as TaskDocument;

test("a queue that was read is noted, unless its task may have been forgotten while it was read", async () => {
  const notes = new QueueNotes();
  const reading = Promise.withResolvers<TaskDocument>();
  const asked = findQueue(id, state, notes, () => reading.promise);
  notes.noteAll([{ kind: "forget-task", id, queue: "old", state: "success" }]);
  reading.resolve(taskIn("old"));
  expect(await asked).toBe("old");
  // The next task of this id is in another queue.
  expect(await findQueue(id, state, notes, async () => taskIn("new"))).toBe("new");
  expect(findQueue(id, state, notes, () => Promise.reject(new Error("not read again")))).toBe("new");
});
