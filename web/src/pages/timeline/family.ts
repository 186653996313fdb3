/** Reads a task with its family, and as many of their attempts as the timeline needs, within bounds. */
import { queryOptions } from "@tanstack/react-query";
import { get, segment } from "../../api/client.ts";
import type { AttemptsOfTask, ChildPage, Task, TaskAttempt } from "../../api/schema.ts";
import { finalStates } from "../../parts/states.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { criticalPath, type Member, tasksOnPath } from "./criticalPath.ts";

/** Tasks of a family that are read; the others are said to be missing. */
const tasksMax = 2_000;
/** Calls that list children, for families of many small ones. */
const pagesMax = 40;
/** Tasks whose earlier attempts are read, those on the critical path first; of the others the last attempt is shown. */
const historiesMax = 100;
const atOnce = 5;
/** While it runs, so often is it read again. */
const refreshMs = 5_000;

export interface FamilyTask extends Member {
  readonly attempts: readonly TaskAttempt[];
}

export interface Family {
  readonly root: FamilyTask;
  /** Without the root. */
  readonly others: readonly FamilyTask[];
  /** True if there are more tasks than were read. */
  readonly isCut: boolean;
  /** How many tasks had earlier attempts that were not read. */
  readonly withoutHistory: number;
}

/** What has ended does not change, unless it is retried: then the task has another state. */
export function familyTimelineQuery(task: Task) {
  const isOver = finalStates.has(task.state);
  return queryOptions({
    queryKey: ["family timeline", task.id, isOver ? task.changedAt : "open"],
    queryFn: ({ signal }) => readFamily(task, signal),
    // It takes many calls, so a change elsewhere does not start it anew.
    staleTime: "static",
    refetchInterval: isOver ? false : refreshMs,
  });
}

async function readFamily(top: Task, signal: AbortSignal): Promise<Family> {
  const root = await get<Task>(`/v1/tasks/${segment(top.id)}`, {}, signal);
  const { tasks, isCut } = await readDescendants(root, signal);
  // Called as the lists of children call them.
  const sets = Map.groupBy(tasks, ({ parent }) => parent);
  const titled = [root, ...tasks].map((task) => ({ ...task, name: titleOf(task, sets.get(task.parent)) }));
  const all = new Map(titled.map((task) => [task.id, { task, attempts: lastAttemptOf(task), isRead: false }]));
  const family = (): Family => {
    const [first, ...others] = [...all.values()].map(memberOf);
    const withoutHistory = [...all.values()].filter(isWithoutHistory).length;
    return { root: first as FamilyTask, others, isCut, withoutHistory };
  };
  const asked = new Set<string>();
  while (asked.size < historiesMax) {
    const { root: first, others } = family();
    const onPath = tasksOnPath(criticalPath(first, others));
    const open = [...all.values()].filter((each) => isWithoutHistory(each) && !asked.has(each.task.id));
    // What is on the path decides which others are on it.
    const missing = open.filter(({ task }) => onPath.has(task.id));
    const next = (missing.length > 0 ? missing : open).slice(0, atOnce);
    if (next.length === 0) break;
    for (const { task } of next) asked.add(task.id);
    await Promise.all(
      next.map(async (each) => {
        const path = `/v1/tasks/${segment(each.task.id)}/attempts`;
        const { attempts } = await get<AttemptsOfTask>(path, { limit: 1000 }, signal);
        const { id: task, name } = each.task;
        each.isRead = true;
        if (attempts.length > 0) each.attempts = attempts.map((attempt) => ({ task, name, ...attempt }));
      }),
    );
  }
  return family();
}

interface Known {
  readonly task: Task;
  attempts: readonly TaskAttempt[];
  /** True once they are as the API tells them. */
  isRead: boolean;
}

/** The task itself tells of its last attempt, unless that has a record: then it was given up, or something else has happened since. */
function isWithoutHistory({ task, attempts, isRead }: Known): boolean {
  return attempts.length < task.attempt || (task.isRecorded === true && !isRead);
}

function memberOf({ task, attempts }: Known): FamilyTask {
  const { id, name, kind, state, parent, after, createdAt, changedAt, retriedAt, backupOf } = task;
  const optional = { parent, after, retriedAt, backupOf };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { id, name, kind, state, createdAt, changedAt, attempts, ...given };
}

async function readDescendants(root: Task, signal: AbortSignal) {
  const tasks: Task[] = [];
  const parents = [root];
  let pages = 0;
  for (let parent = parents.shift(); parent !== undefined; parent = parents.shift()) {
    if (Object.keys(parent.childCounts ?? {}).length === 0) continue;
    let cursor: string | null = null;
    do {
      if (pages >= pagesMax || tasks.length >= tasksMax) return { tasks, isCut: true };
      pages += 1;
      const path = `/v1/tasks/${segment(parent.id)}/children`;
      const query = { limit: Math.min(1000, tasksMax - tasks.length), cursor };
      const page: ChildPage = await get<ChildPage>(path, query, signal);
      tasks.push(...page.tasks);
      parents.push(...page.tasks);
      ({ cursor } = page);
    } while (cursor !== null);
  }
  return { tasks, isCut: false };
}

/** As the task itself tells it. */
function lastAttemptOf(task: Task): readonly TaskAttempt[] {
  const { id, name, attempt, host: worker, boot, assignedAt, startedAt, endedAt, error, state } = task;
  if (attempt === 0 || worker === undefined || boot === undefined || assignedAt === undefined) return [];
  const outcome = outcomeOf(state);
  return [
    {
      ...{ task: id, name, attempt, worker, boot, assignedAt },
      ...(startedAt !== undefined && { startedAt }),
      ...(state !== "running" && { endedAt: endedAt ?? task.changedAt }),
      ...(outcome !== undefined && { outcome }),
      ...(error !== undefined && outcome !== "success" && { error }),
    },
  ];
}

function outcomeOf(state: Task["state"]): TaskAttempt["outcome"] {
  switch (state) {
    case "success":
    case "failed":
    case "killed":
    case "cancelled":
      return state;
    case "waiting":
      return "suspended";
    case "retrying":
      return "failed";
    case "running":
      return undefined;
    case "created":
    case "blocked":
    case "skipped":
      return "aborted";
    default:
      return state satisfies never;
  }
}
