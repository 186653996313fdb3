/** A page of a graph, read from the store: the plan says which nodes there are, their statuses how they stand. */
import { childId, childPrefix, nodesKey } from "../../model/family.ts";
import type { GraphInput } from "../../model/graphs/graph.ts";
import type { GraphNodeView, GraphView } from "../../model/graphs/graphView.ts";
import { type PlannedNode, planGraph } from "../../model/graphs/plan.ts";
import type { TaskId } from "../../model/ids.ts";
import { isObject } from "../../model/kinds/kind.ts";
import { limits } from "../../model/limits.ts";
import type { TaskDocument, TaskStatus } from "../../model/task.ts";
import type { Store } from "../../ports/store.ts";

export async function readGraph(
  store: Store,
  task: TaskDocument,
  {
    cursor,
    limit,
    dependents,
  }: { readonly cursor: number; readonly limit: number; readonly dependents: readonly TaskId[] },
): Promise<GraphView> {
  const { id, name, kind, state, parent = null, after = [], input, resolvedInput = input } = task;
  const plan = kind === "graph" ? planGraph(resolvedInput as unknown as GraphInput) : [];
  const prefix = childPrefix(id, task.family?.epoch ?? 0, nodesKey);
  const page = plan.slice(cursor, cursor + limit);
  const ids = page.map((_node, index) => childId(prefix, cursor + index));
  const statuses = await readStatuses(store, [...ids, ...after]);
  const nodes = page.map((planned, index) => toView(planned, plan, ids[index] as TaskId, statuses));
  const end = cursor + page.length;
  return {
    ...{ id, name, kind, state, parent, dependents, nodes },
    after: after.map((each) => ({ id: each, state: statuses.get(each)?.state ?? null })),
    total: plan.length,
    next: end < plan.length ? end : null,
  };
}

function toView(
  { name, node, after }: PlannedNode,
  plan: readonly PlannedNode[],
  id: TaskId,
  statuses: ReadonlyMap<TaskId, TaskStatus>,
): GraphNodeView {
  const { state = null, attempt = 0, host, startedAt, endedAt, error } = statuses.get(id) ?? {};
  const tasks = isObject(node.input) ? node.input["tasks"] : undefined;
  return {
    ...{ name, id, kind: node.kind, state, attempt },
    after: after.map((index) => plan[index]?.name ?? ""),
    runIf: node.runIf ?? "success",
    ...(host !== undefined && { host }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(state !== "success" && error !== undefined && { error }),
    ...(node.kind === "graph" && isObject(tasks) && { nodes: Object.keys(tasks).length }),
  };
}

/** Statuses of any number of tasks, some at a time. */
export async function readStatuses(store: Store, ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
  const all = new Map<TaskId, TaskStatus>();
  for (let from = 0; from < ids.length; from += limits.statusesPerReadMax) {
    const page = await store.readStatuses(ids.slice(from, from + limits.statusesPerReadMax));
    for (const [id, status] of page) all.set(id, status);
  }
  return all;
}
