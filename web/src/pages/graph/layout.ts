/** Places the nodes of a graph from left to right, or downwards; thousands of like nodes are folded into one that counts them. */
import ELK, { type ElkNode } from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import type { GraphNode } from "../../api/schema.ts";

/** More nodes than this are folded where they wait for the same and are of one kind. */
export const nodesShownMax = 150;

export const nodeSize = { width: 208, height: 56 } as const;

export interface ShownEdge {
  readonly from: string;
  readonly to: string;
}

export interface Folded {
  readonly groups: ReadonlyMap<string, readonly GraphNode[]>;
  readonly edges: readonly ShownEdge[];
}

export function fold(nodes: readonly GraphNode[]): Folded {
  const isFolded = nodes.length > nodesShownMax;
  const keyOf = (node: GraphNode) =>
    isFolded ? `${node.kind}\n${node.runIf}\n${node.after.toSorted().join("\n")}` : node.name;
  const groups = Map.groupBy(nodes, keyOf);
  const keys = new Map(nodes.map((node) => [node.name, keyOf(node)]));
  const edges = new Map<string, ShownEdge>();
  for (const node of nodes) {
    const to = keyOf(node);
    for (const name of node.after) {
      const from = keys.get(name);
      if (from !== undefined && from !== to) edges.set(`${from}\u0000${to}`, { from, to });
    }
  }
  return { groups, edges: [...edges.values()] };
}

/** From left to right; downwards where there is little room at the sides. */
export type Direction = "RIGHT" | "DOWN";

/** Where each group goes; the places depend on the shape alone, not on the states. */
export async function place(
  { groups, edges }: Folded,
  direction: Direction,
): Promise<ReadonlyMap<string, { readonly x: number; readonly y: number }>> {
  const elk = new ELK({ workerFactory: () => new Worker(workerUrl) });
  try {
    const { children = [] }: ElkNode = await elk.layout({
      id: "root",
      layoutOptions: {
        "elk.algorithm": "layered",
        "elk.direction": direction,
        "elk.layered.spacing.nodeNodeBetweenLayers": direction === "RIGHT" ? "64" : "36",
        "elk.spacing.nodeNode": "18",
      },
      children: [...groups.keys()].map((id) => ({ id, ...nodeSize })),
      edges: edges.map(({ from, to }, index) => ({ id: String(index), sources: [from], targets: [to] })),
    });
    return new Map(children.map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
  } finally {
    elk.terminateWorker();
  }
}
