/** A page of a graph, read from the store: the plan says which nodes there are, their statuses how they stand. */
import { childId, childPrefix, indexOf, nodesKey, prefixOf } from "../../model/family.ts";
import type { GraphInput } from "../../model/graphs/graph.ts";
import type { GraphNodeView, GraphView } from "../../model/graphs/graphView.ts";
import { withNodeNames } from "../../model/graphs/nodeNames.ts";
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
    above,
    blocked,
  }: {
    readonly cursor: number;
    readonly limit: number;
    /** Its parent, if it has one. */
    readonly above: TaskDocument | null;
    /** Tasks that are blocked by it. */
    readonly blocked: readonly TaskId[];
  },
): Promise<GraphView> {
  const { id, name, kind, state, parent = null, after = [] } = task;
  const plan = planOf(task);
  const prefix = childPrefix(id, task.family?.epoch ?? 0, nodesKey);
  const page = plan.slice(cursor, cursor + limit);
  const ids = page.map((_node, index) => childId(prefix, cursor + index));
  const statuses = await readStatuses(store, [...ids, ...after]);
  const nodes = page.map((planned, index) => toView(planned, plan, ids[index] as TaskId, statuses));
  const end = cursor + page.length;
  const dependents = [...new Set([...(above === null ? [] : nodesAfter(id, above)), ...blocked])];
  return {
    ...{ id, name, kind, state, parent, dependents: dependents.slice(0, limits.pageMax), nodes },
    after: after.map((each) => ({ id: each, state: statuses.get(each)?.state ?? null })),
    total: plan.length,
    next: end < plan.length ? end : null,
  };
}

function planOf({ kind, input, resolvedInput = input }: TaskDocument): readonly PlannedNode[] {
  return kind === "graph" ? planGraph(resolvedInput as unknown as GraphInput) : [];
}

/** Nodes of the same graph that wait for this one, or have: the plan says so, whatever has become of them. */
function nodesAfter(id: TaskId, above: TaskDocument): TaskId[] {
  const [prefix, place] = [prefixOf(id), indexOf(id)];
  return planOf(above).flatMap(({ after }, index) => (after.includes(place) ? [childId(prefix, index)] : []));
}

function toView(
  { name, node, after }: PlannedNode,
  plan: readonly PlannedNode[],
  id: TaskId,
  statuses: ReadonlyMap<TaskId, TaskStatus>,
): GraphNodeView {
  const { state = null, attempt = 0, host, startedAt, endedAt, error } = statuses.get(id) ?? {};
  const tasks = isObject(node.input) ? node.input["tasks"] : undefined;
  const named = after.map((index) => [childId(prefixOf(id), index), plan[index]?.name ?? ""] as const);
  return {
    ...{ name, id, kind: node.kind, state, attempt },
    after: after.map((index) => plan[index]?.name ?? ""),
    runIf: node.runIf ?? "success",
    ...(host !== undefined && { host }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(state !== "success" && error !== undefined && { error: withNodeNames(error, new Map(named)) }),
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
