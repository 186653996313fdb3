/** A graph as a reader of some queues may see it: its plan is in its input, but how nodes of other queues stand is not told. */
import type { GraphNodeView, GraphView } from "../../model/graphs/graphView.ts";
import type { TaskId } from "../../model/ids.ts";

export async function visibleGraph(graph: GraphView, isSeen: (id: TaskId) => Promise<boolean>): Promise<GraphView> {
  const areSeen = async <Each>(all: readonly Each[], idOf: (each: Each) => TaskId): Promise<readonly Each[]> => {
    const seen = await Promise.all(all.map((each) => isSeen(idOf(each))));
    return all.filter((_each, index) => seen[index] === true);
  };
  return {
    ...graph,
    parent: graph.parent !== null && (await isSeen(graph.parent)) ? graph.parent : null,
    after: await areSeen(graph.after, ({ id }) => id),
    dependents: await areSeen(graph.dependents, (id) => id),
    nodes: await Promise.all(graph.nodes.map(async (node) => ((await isSeen(node.id)) ? node : planOf(node)))),
  };
}

function planOf({ name, id, kind, after, runIf, nodes }: GraphNodeView): GraphNodeView {
  return { name, id, kind, state: null, attempt: 0, after, runIf, ...(nodes !== undefined && { nodes }) };
}
