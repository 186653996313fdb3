/** The graph of a task: its nodes, what they wait for, and how they stand. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { graphQuery, taskQuery } from "../../api/queries.ts";
import type { GraphNode } from "../../api/schema.ts";
import { StateBadge } from "../../parts/states.tsx";
import { Card, Empty, Loading, PageHeader } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { TaskPath } from "../../parts/taskPath.tsx";
import { TaskProblem } from "../../parts/taskProblem.tsx";
import { durationText } from "../../parts/time.tsx";
import { RetryButton } from "../task/retryDialog.tsx";
import { GraphView } from "./graphView.tsx";

const route = getRouteApi("/tasks/$id/graph");
const listed = 200;

export function GraphPage() {
  const { id } = route.useParams();
  const { data, error } = useQuery(graphQuery(id));
  const task = useQuery(taskQuery(id)).data;
  if (data === undefined) return error === null ? <Loading what="the graph" /> : <TaskProblem error={error} />;
  const { name, state, nodes, total, parent } = data;
  return (
    <>
      <TaskPath id={id} name={name}>
        {parent === null ? null : (
          <Link to="/tasks/$id/graph" params={{ id: parent }} className="ml-auto text-accent hover:underline">
            Parent
          </Link>
        )}
      </TaskPath>
      <PageHeader title={`Graph of ${name}`} note={<StateBadge state={state} />}>
        {task === undefined ? null : <RetryButton task={task} />}
      </PageHeader>
      {nodes.length === 0 ? (
        <div className="card">
          <Empty title="This task is not a graph" command="outlast submit --file graph.yaml" />
        </div>
      ) : (
        <div className="grid gap-4">
          <Card isFlush>
            <GraphView nodes={nodes} />
          </Card>
          <NodeTable nodes={nodes} total={total} />
        </div>
      )}
    </>
  );
}

function NodeTable({ nodes, total }: { readonly nodes: readonly GraphNode[]; readonly total: number }) {
  return (
    <Card title="Nodes" note={total > listed ? `the first ${listed} of ${total}` : String(total)} isFlush>
      <Table label="Nodes" isDense heads={["Node", "State", "Kind", "Waits for", "Worker", "Took"]}>
        {nodes.slice(0, listed).map((node) => (
          <Row key={node.id}>
            <Cell className="max-w-64 truncate font-medium">
              <Link to="/tasks/$id" params={{ id: node.id }} data-row className="hover:underline" title={node.name}>
                {node.name}
              </Link>
            </Cell>
            <Cell>
              {node.state === null ? (
                <span className="text-muted">not there yet</span>
              ) : (
                <StateBadge state={node.state} />
              )}
            </Cell>
            <Cell className="text-soft">
              {node.nodes === undefined ? (
                node.kind
              ) : (
                <Link to="/tasks/$id/graph" params={{ id: node.id }} className="text-accent hover:underline">
                  graph of {node.nodes}
                </Link>
              )}
            </Cell>
            <Cell className="min-w-56 text-soft">{node.after.join(", ")}</Cell>
            <Cell className="whitespace-nowrap text-soft">{node.host ?? "–"}</Cell>
            <Cell className="figures whitespace-nowrap">
              {node.startedAt === undefined || node.endedAt === undefined
                ? "–"
                : durationText(node.endedAt - node.startedAt)}
            </Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}
