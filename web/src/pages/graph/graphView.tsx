/** A graph as boxes and arrows: live states as colours and shapes, moved and zoomed by hand. */
import "@xyflow/react/dist/style.css";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Background, Controls, type Edge, Handle, type Node, type NodeProps, Position, ReactFlow } from "@xyflow/react";
import { useMemo } from "react";
import type { GraphNode, TaskState } from "../../api/schema.ts";
import { useNarrow } from "../../parts/narrow.ts";
import { StateIcon, stateText, taskStates } from "../../parts/states.tsx";
import { Loading, Problem } from "../../parts/surfaces.tsx";
import { type Direction, fold, nodeSize, place } from "./layout.ts";

type BoxNode = Node<{ readonly nodes: readonly GraphNode[]; readonly direction: Direction }, "box">;

const types = { box: Box };

/** On a phone, a graph that does not fit is shown in part, as large as it can be read. */
const legible: { readonly [Each in Direction]: { readonly minZoom?: number } } = { RIGHT: {}, DOWN: { minZoom: 0.7 } };

/** On a phone, the controls have the foot of the picture for themselves. */
const paddings = { RIGHT: 0.15, DOWN: { x: 0.05, top: 0.05, bottom: "56px" } } as const;

export function GraphView({ nodes }: { readonly nodes: readonly GraphNode[] }) {
  const direction: Direction = useNarrow() ? "DOWN" : "RIGHT";
  const folded = useMemo(() => fold(nodes), [nodes]);
  const shape = useMemo(() => JSON.stringify([[...folded.groups.keys()], folded.edges]), [folded]);
  // Only a graph of another shape is laid out anew.
  const { data: places, error } = useQuery({
    queryKey: ["layout", direction, shape],
    queryFn: () => place(folded, direction),
    staleTime: "static",
  });
  if (places === undefined) {
    return (
      <div className="h-[32rem] p-4 max-md:h-[24rem]">
        {error === null ? <Loading what="the graph" /> : <Problem error={error} />}
      </div>
    );
  }
  const boxes = [...folded.groups].map(
    ([id, members]): BoxNode => ({
      id,
      type: "box",
      position: places.get(id) ?? { x: 0, y: 0 },
      data: { nodes: members, direction },
      ...nodeSize,
    }),
  );
  const edges = folded.edges.map(
    ({ from, to }): Edge => ({
      id: `${from} ${to}`,
      source: from,
      target: to,
      style: { stroke: "var(--line-strong)", strokeWidth: 1.5 },
    }),
  );
  return (
    <div className="h-[32rem] max-md:h-[24rem]">
      <ReactFlow
        key={direction}
        nodes={boxes}
        edges={edges}
        nodeTypes={types}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        fitView
        fitViewOptions={{ maxZoom: 1, padding: paddings[direction], ...legible[direction] }}
        minZoom={0.1}
        proOptions={{ hideAttribution: true }}
      >
        <Background color="var(--line)" gap={24} />
        <Controls showInteractive={false} orientation={direction === "DOWN" ? "horizontal" : "vertical"} />
      </ReactFlow>
    </div>
  );
}

function Box({ data: { nodes, direction } }: NodeProps<BoxNode>) {
  const [first] = nodes;
  if (first === undefined) return null;
  return (
    <>
      <Handle type="target" position={direction === "DOWN" ? Position.Top : Position.Left} className="opacity-0" />
      {nodes.length === 1 ? <One node={first} /> : <Many nodes={nodes} />}
      <Handle type="source" position={direction === "DOWN" ? Position.Bottom : Position.Right} className="opacity-0" />
    </>
  );
}

function One({ node }: { readonly node: GraphNode }) {
  const state: TaskState = node.state ?? "blocked";
  return (
    <Link
      to="/tasks/$id"
      params={{ id: node.id }}
      className={`flex h-full w-full items-center gap-2.5 rounded-lg border bg-surface px-3 shadow-sm hover:bg-hover ${border[state] ?? "border-line-strong"}`}
    >
      <StateIcon state={state} size={18} />
      <span className="grid min-w-0">
        <span className="truncate font-medium">{node.name}</span>
        <span className="truncate text-xs text-muted">
          <span className={stateText[state]}>{node.state ?? "not there yet"}</span>
          {node.nodes === undefined ? ` · ${node.kind}` : ` · graph of ${node.nodes}`}
        </span>
      </span>
    </Link>
  );
}

const border: { readonly [State in TaskState]?: string } = {
  running: "border-running",
  success: "border-success/60",
  failed: "border-failed",
  killed: "border-killed",
  retrying: "border-retrying",
};

/** A pile: how many there are in each state. */
function Many({ nodes }: { readonly nodes: readonly GraphNode[] }) {
  const counts = taskStates
    .map((state) => [state, nodes.filter((node) => (node.state ?? "blocked") === state).length] as const)
    .filter(([, count]) => count > 0);
  return (
    <div className="grid h-full content-center gap-1 rounded-lg border border-line-strong bg-surface px-3 shadow-[3px_3px_0_var(--line-strong)]">
      <span className="font-medium">
        {nodes.length} × {nodes[0]?.kind}
      </span>
      <span className="flex flex-wrap gap-x-2.5 text-xs">
        {counts.map(([state, count]) => (
          <span key={state} title={state} className="inline-flex items-center gap-1">
            <StateIcon state={state} size={12} />
            <span className="sr-only">{state}</span>
            {count}
          </span>
        ))}
      </span>
    </div>
  );
}
