/** What a task remembers, and its children. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { childrenQuery, stepPagesQuery } from "../../api/queries.ts";
import type { Task, TaskState } from "../../api/schema.ts";
import { Button } from "../../parts/controls.tsx";
import { JsonTree } from "../../parts/jsonTree.tsx";
import { useNarrow } from "../../parts/narrow.ts";
import { StateCount } from "../../parts/stateCount.tsx";
import { StateBadge, taskStates } from "../../parts/states.tsx";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { Ago } from "../../parts/time.tsx";
import { hasEarlierChildren, isBeforeRetry } from "./runs.ts";

const number = new Intl.NumberFormat();
const stepsShown = 10;
/** Of each step, its fields are shown, and what is in them once they are opened. */
const stepDepth = 1;

export function ChildrenCard({ task }: { readonly task: Task }) {
  const [isEarlier, setEarlier] = useState(false);
  return (
    <>
      <PresentChildren task={task} />
      {!hasEarlierChildren(task) ? null : isEarlier ? (
        <EarlierChildren task={task} onClose={() => setEarlier(false)} />
      ) : (
        <p>
          <Button look="quiet" onClick={() => setEarlier(true)}>
            Show children from before it began from scratch
          </Button>
        </p>
      )}
    </>
  );
}

function EarlierChildren({ task, onClose }: { readonly task: Task; readonly onClose: () => void }) {
  const { data } = useQuery(childrenQuery(task.id, "earlier"));
  if (data === undefined) return null;
  const note = data.cursor === null ? String(data.tasks.length) : `the first ${data.tasks.length}`;
  return (
    <Card
      title="Children from before"
      note={`${note}; nothing waits for them`}
      isFlush
      actions={
        <Button look="quiet" onClick={onClose}>
          Hide
        </Button>
      }
    >
      <ChildTable label="Children from before" tasks={data.tasks} />
    </Card>
  );
}

function PresentChildren({ task }: { readonly task: Task }) {
  const counts: { readonly [State in TaskState]?: number } = task.childCounts ?? {};
  const total = Object.values(counts).reduce<number>((sum, count) => sum + count, 0);
  const hasFailed = (counts.failed ?? 0) > 0;
  const { data } = useQuery({ ...childrenQuery(task.id, "present", hasFailed), enabled: total > 0 });
  if (total === 0 || data === undefined) return null;
  return (
    <Card
      title="Children"
      note={
        <>
          {data.tasks.length === total
            ? String(total)
            : hasFailed
              ? `${data.tasks.length} of ${number.format(total)}, failed ones first`
              : `the first ${data.tasks.length} of ${number.format(total)}`}
          ,{" "}
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
      <ChildTable label="Children" tasks={data.tasks} />
    </Card>
  );
}

/** On a phone, each child is a row as well: what tells them apart least stands below their names. */
function ChildTable({ label, tasks }: { readonly label: string; readonly tasks: readonly Task[] }) {
  const isNarrow = useNarrow();
  return (
    <Table label={label} heads={isNarrow ? ["Child", "State"] : ["Child", "State", "Kind", "Worker"]}>
      {tasks.map((child) => (
        <Row key={child.id}>
          <Cell className="font-medium wrap-anywhere">
            <Link to="/tasks/$id" params={{ id: child.id }} data-row className="hover:underline">
              {titleOf(child, tasks)}
            </Link>
            {isNarrow ? (
              <p className="text-xs font-normal text-muted">{[child.kind, ...hostOf(child)].join(" · ")}</p>
            ) : null}
          </Cell>
          <Cell>
            <StateBadge state={child.state} />
          </Cell>
          {isNarrow ? null : (
            <>
              <Cell className="text-soft">{child.kind}</Cell>
              <Cell className="text-soft">{hostOf(child)}</Cell>
            </>
          )}
        </Row>
      ))}
    </Table>
  );
}

/** The worker of its present run, if there is one. */
function hostOf(task: Task): readonly string[] {
  return task.host === undefined || isBeforeRetry(task) ? [] : [task.host];
}

/** What later attempts find done. Of many steps only the first are shown until somebody asks for more. */
export function StepsCard({ task }: { readonly task: Task }) {
  const [isFolded, setFolded] = useState(true);
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(stepPagesQuery(task.id));
  const steps = data?.pages.flatMap((page) => page.steps) ?? [];
  if (steps.length === 0) return null;
  const shown = isFolded ? steps.slice(0, stepsShown) : steps;
  const count = number.format(steps.length);
  return (
    <Card title="Steps" note="results that are kept, and not computed again" isFlush>
      <Table label="Steps" hasWideCells heads={["Key", "Result", "Committed"]}>
        {shown.map(({ key, step: { at, ...result } }) => (
          <Row key={key}>
            <Cell className="font-medium">{key}</Cell>
            <Cell className="max-md:col-span-2">
              <JsonTree value={"value" in result ? result.value : (result.children ?? result)} openDepth={stepDepth} />
            </Cell>
            <Cell className="text-muted">{at === undefined ? "–" : <Ago at={at} />}</Cell>
          </Row>
        ))}
      </Table>
      {shown.length < steps.length ? (
        <More onClick={() => setFolded(false)}>{hasNextPage ? `Show ${count} steps` : `Show all ${count} steps`}</More>
      ) : hasNextPage ? (
        <More isDisabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          Show more steps
        </More>
      ) : null}
    </Card>
  );
}

interface MoreProps {
  readonly isDisabled?: boolean;
  readonly onClick: () => void;
  readonly children: ReactNode;
}

function More({ isDisabled = false, onClick, children }: MoreProps) {
  return (
    <p className="border-t border-line px-4 py-2">
      <Button look="quiet" disabled={isDisabled} onClick={onClick}>
        {children}
      </Button>
    </p>
  );
}
