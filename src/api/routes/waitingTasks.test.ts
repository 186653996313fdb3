/** Which tasks a list by reason holds, and how much of a store one call looks at. */
import { expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { TaskDocument, TaskState } from "../../model/task.ts";
import type { WaitingReason } from "../../model/waiting.ts";
import type { TaskPage, TaskQuery } from "../../ports/store.ts";
import { listWaiting } from "./waitingTasks.ts";

/** A list of as many tasks as there are reasons, whose cursors are numbers. */
function listOf(reasons: readonly (WaitingReason | null)[], state: TaskState = "created") {
  const queries: TaskQuery[] = [];
  const tasks = reasons.map((reason, index) => {
    const waiting = reason === null ? {} : { waiting: { reason, since: 1, detail: "waits" } };
    return { id: `t${index}` as TaskId, state, ...waiting } as unknown as TaskDocument;
  });
  const listTasks = (query: TaskQuery): Promise<TaskPage> => {
    queries.push(query);
    const from = Number(query.cursor ?? 0);
    const to = from + query.limit;
    return Promise.resolve({ tasks: tasks.slice(from, to), cursor: to < tasks.length ? String(to) : null });
  };
  return { listTasks, queries };
}

const query: TaskQuery = { order: "oldest", cursor: null, limit: 3 };
const ids = ({ tasks }: TaskPage) => tasks.map(({ id }) => id);

test("a page holds the tasks that wait for the reason, and as many as were asked for if there are so many", async () => {
  const list = listOf(["key", "workers-busy", null, "key", "key", "workers-busy", "key"]);
  const first = await listWaiting(list, "key", query);
  expect(ids(first)).toEqual(["t0", "t3", "t4"]);
  const second = await listWaiting(list, "key", { ...query, cursor: first.cursor });
  expect([ids(second), second.cursor]).toEqual([["t6"], null]);
});

test("one call looks at a bounded number of tasks, and says where to go on", async () => {
  const list = listOf([...Array.from({ length: 200 }, () => "workers-busy" as const), "key"]);
  const first = await listWaiting(list, "key", query);
  expect([ids(first), list.queries.length]).toEqual([[], limits.waitingPagesMax]);
  let { cursor } = first;
  const found: TaskId[] = [];
  while (cursor !== null) {
    const page = await listWaiting(list, "key", { ...query, cursor });
    found.push(...ids(page));
    ({ cursor } = page);
  }
  expect(found).toEqual(["t200"]);
});

test("only states are read in which a task may wait for the reason, and none that the caller left out", async () => {
  const list = listOf(["signal"], "waiting");
  await listWaiting(list, "signal", query);
  await listWaiting(list, "workers-busy", { ...query, states: ["created", "running"] });
  expect(list.queries.map(({ states }) => states)).toEqual([["waiting"], ["created"]]);
  expect(await listWaiting(list, "signal", { ...query, states: ["failed"] })).toEqual({ tasks: [], cursor: null });
  expect(list.queries).toHaveLength(2);
});
