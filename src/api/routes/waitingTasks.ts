/** The tasks that wait for one reason: a store knows their states only, so pages of those that may wait for it are looked through. */
import type { MasterApi } from "../../master/service/masterApi.ts";
import { limits } from "../../model/limits.ts";
import type { TaskDocument, TaskState } from "../../model/task.ts";
import type { WaitingReason } from "../../model/waiting.ts";
import type { TaskPage, TaskQuery } from "../../ports/store.ts";

/** What waits for one of these is in one of these states. */
const statesOfReasons: { readonly [Reason in WaitingReason]?: readonly TaskState[] } = {
  "due-later": ["created"],
  siblings: ["created"],
  "back-off": ["retrying", "killed"],
  children: ["waiting"],
  sleep: ["waiting"],
  signal: ["waiting"],
  descendants: ["waiting"],
  blocked: ["blocked"],
};

/** Whatever waits for a queue, a worker or a key: what has been woken does so, too. */
const ready: readonly TaskState[] = ["created", "waiting", "retrying", "killed"];

/** A page may be short, even empty, before the end: one call looks at `limits.waitingPagesMax` pages of tasks. */
export async function listWaiting(
  master: Pick<MasterApi, "listTasks">,
  reason: WaitingReason,
  { states: given, ...query }: TaskQuery,
): Promise<TaskPage> {
  const states = (statesOfReasons[reason] ?? ready).filter((state) => given?.includes(state) !== false);
  if (states.length === 0) return { tasks: [], cursor: null };
  const tasks: TaskDocument[] = [];
  let { cursor } = query;
  for (let pages = 0; pages < limits.waitingPagesMax && tasks.length < query.limit; pages += 1) {
    const page = await master.listTasks({ ...query, states, cursor, limit: query.limit - tasks.length });
    tasks.push(...page.tasks.filter(({ waiting }) => waiting?.reason === reason));
    ({ cursor } = page);
    if (cursor === null) break;
  }
  return { tasks, cursor };
}
