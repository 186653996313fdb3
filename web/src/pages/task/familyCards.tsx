/** What a task remembers, and its children. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { childrenQuery, stepsQuery } from "../../api/queries.ts";
import type { Task, TaskState } from "../../api/schema.ts";
import { JsonTree } from "../../parts/jsonTree.tsx";
import { StateCount } from "../../parts/stateCount.tsx";
import { StateBadge, taskStates } from "../../parts/states.tsx";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";

const number = new Intl.NumberFormat();

export function ChildrenCard({ task }: { readonly task: Task }) {
  const counts: { readonly [State in TaskState]?: number } = task.childCounts ?? {};
  const total = Object.values(counts).reduce<number>((sum, count) => sum + count, 0);
  const { data } = useQuery({ ...childrenQuery(task.id), enabled: total > 0 });
  if (total === 0 || data === undefined) return null;
  return (
    <Card
      title="Children"
      note={
        <>
          {data.tasks.length < total ? `the first ${data.tasks.length} of ${number.format(total)}` : String(total)},{" "}
          <Link to="/tasks/$id/family" params={{ id: task.id }} className="text-accent hover:underline">
            the whole family
          </Link>
        </>
      }
      isFlush
      actions={taskStates.map((state) =>
        (counts[state] ?? 0) === 0 ? null : (
          <StateCount
            key={state}
            state={state}
            count={counts[state] ?? 0}
            of={{ parent: task.id }}
            className="text-xs"
          />
        ),
      )}
    >
      <Table label="Children" heads={["Child", "State", "Kind", "Worker"]}>
        {data.tasks.map((child) => (
          <Row key={child.id}>
            <Cell className="font-medium">
              <Link to="/tasks/$id" params={{ id: child.id }} data-row className="hover:underline">
                {child.name}
              </Link>
            </Cell>
            <Cell>
              <StateBadge state={child.state} />
            </Cell>
            <Cell className="text-soft">{child.kind}</Cell>
            <Cell className="text-soft">{child.host ?? "–"}</Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}

export function StepsCard({ task }: { readonly task: Task }) {
  const steps = useQuery(stepsQuery(task.id)).data?.steps ?? [];
  if (steps.length === 0) return null;
  return (
    <Card title="Steps" note="what the handler remembers" isFlush>
      <Table label="Steps" heads={["Key", "Result", "Committed"]}>
        {steps.map(({ key, step: { at, ...result } }) => (
          <Row key={key}>
            <Cell className="font-medium">{key}</Cell>
            <Cell>
              <JsonTree value={"value" in result ? result.value : result} />
            </Cell>
            <Cell className="text-muted">{at === undefined ? "–" : <Ago at={at} />}</Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}
