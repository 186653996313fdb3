/** What belongs to tasks, as a reader of some queues may see it: nothing of tasks that lie outside of them. */
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { MasterApi } from "./masterApi.ts";
import type { TaskViewApi } from "./taskViewApi.ts";
import { isSeen } from "./visibleChanges.ts";

/** @param show leaves out of a document what the reader may not know */
export function visibleViews(
  master: MasterApi,
  queues: readonly string[] | undefined,
  show: (task: TaskDocument) => TaskDocument,
): TaskViewApi {
  const { views } = master;
  if (queues === undefined) return views;
  const sees = async (id: TaskId): Promise<boolean> => isSeen(queues, await master.queueOf(id));
  const check = async (id: TaskId): Promise<void> => {
    if (!(await sees(id))) throw new OutlastError("not-found", `There is no task ${id}.`);
  };
  return {
    children: async (parent, query) => {
      await check(parent);
      const page = await views.children(parent, { ...query, queues });
      return { ...page, tasks: page.tasks.map(show) };
    },
    steps: async (task, query) => {
      await check(task);
      return views.steps(task, query);
    },
    attempts: async (task, query) => {
      await check(task);
      return views.attempts(task, query);
    },
    artifacts: async (task) => {
      await check(task);
      return views.artifacts(task);
    },
    listAttempts: async (query) => {
      const page = await views.listAttempts(query);
      const seen = await Promise.all(page.attempts.map(({ task }) => sees(task)));
      return { ...page, attempts: page.attempts.filter((_attempt, index) => seen[index] === true) };
    },
  };
}
