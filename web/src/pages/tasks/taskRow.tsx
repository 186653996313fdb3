/** One row of the list of tasks: a line of cells, or two lines where there is little room. */

import { Link } from "@tanstack/react-router";
import type { Task } from "../../api/schema.ts";
import { counted } from "../../parts/counted.ts";
import { finalStates, StateBadge, StateIcon } from "../../parts/states.tsx";
import { Meter } from "../../parts/surfaces.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { Ago, Lasted } from "../../parts/time.tsx";
import { isBeforeRetry } from "../task/runs.ts";

/** The columns; the same for the head and every row. */
export const columns =
  "grid grid-cols-[2rem_7rem_minmax(10rem,2fr)_minmax(5rem,1fr)_minmax(5rem,1fr)_minmax(6rem,1fr)_4.5rem_6rem_6rem] items-center gap-x-3";

interface RowProps {
  readonly task: Task;
  /** All that are listed. */
  readonly beside: readonly Task[];
  readonly isSelected: boolean;
  /** Null for those who may do nothing with tasks. */
  readonly onSelect: ((task: Task, isSelected: boolean) => void) | null;
}

function Box({ task, isSelected, onSelect }: RowProps) {
  if (onSelect === null) return null;
  return (
    <input
      type="checkbox"
      aria-label={`Select ${task.name}`}
      checked={isSelected}
      onChange={(event) => onSelect(task, event.target.checked)}
      className="relative z-10 size-3.5 accent-accent-fill"
    />
  );
}

/** Covers the whole row, so that a click anywhere opens the task. */
function NameLink({ task, beside }: Pick<RowProps, "task" | "beside">) {
  const title = titleOf(task, beside);
  return (
    <Link
      to="/tasks/$id"
      params={{ id: task.id }}
      data-row
      title={title}
      className="truncate font-medium outline-none after:absolute after:inset-0 after:rounded focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent-fill"
    >
      {title}
    </Link>
  );
}

export function WideRow(props: RowProps) {
  const { task } = props;
  return (
    <div
      role="row"
      className={`${columns} relative h-full border-b border-line px-4 hover:bg-hover/70 ${props.isSelected ? "bg-accent-wash/60" : ""}`}
    >
      <span role="cell" className="flex">
        <Box {...props} />
      </span>
      <span role="cell">
        <StateBadge state={task.state} />
      </span>
      <span role="cell" className="flex min-w-0 items-baseline gap-2">
        <NameLink {...props} />
        {titleOf(task) === task.id ? null : (
          // The name is what people look for: the id gives way first.
          <Id id={task.id} />
        )}
        <Running task={task} />
      </span>
      <span role="cell" className="truncate text-soft">
        {task.kind}
      </span>
      <span role="cell" className="truncate text-soft">
        {task.queue}
      </span>
      <span role="cell" className="truncate text-soft">
        {isBeforeRetry(task) ? "–" : (task.host ?? "–")}
      </span>
      <span role="cell" className="text-soft" title={attemptTitle(task)}>
        {task.attempt}
        {task.failures > 0 ? <span className="text-failed"> ✕{task.failures}</span> : null}
        {task.kills > 0 ? <span className="text-killed"> △{task.kills}</span> : null}
      </span>
      <span role="cell" className="text-muted">
        <Ago at={task.createdAt} />
      </span>
      <span role="cell" className="text-soft">
        <Time task={task} />
      </span>
    </div>
  );
}

/** So many characters at the end tell ids of one family, and of one moment, apart. */
const ownChars = 7;

/** What gives way is its middle: many ids begin alike. */
function Id({ id }: { readonly id: string }) {
  return (
    <span title={id} className="flex min-w-0 shrink-[9999] font-mono text-2xs text-muted">
      {/* Without a text, it would not stand on a line. */}
      {id.length > ownChars ? <span className="truncate">{id.slice(0, -ownChars)}</span> : null}
      <span className="shrink-0">{id.slice(-ownChars)}</span>
    </span>
  );
}

export function NarrowRow(props: RowProps) {
  const { task } = props;
  return (
    <div
      role="row"
      className={`relative grid h-full grid-cols-[auto_auto_minmax(0,1fr)_auto] items-center gap-x-2.5 border-b border-line px-3 ${props.isSelected ? "bg-accent-wash/60" : ""}`}
    >
      <span role="cell" className="flex">
        <Box {...props} />
      </span>
      <span role="cell">
        <StateIcon state={task.state} size={16} />
        <span className="sr-only">{task.state}</span>
      </span>
      <span role="cell" className="grid min-w-0">
        <NameLink {...props} />
        <span className="truncate text-xs text-muted">
          {task.state} · {task.kind} · {isBeforeRetry(task) ? task.queue : (task.host ?? task.queue)}
        </span>
      </span>
      <span role="cell" className="text-right text-xs text-muted">
        <Ago at={task.createdAt} />
      </span>
    </div>
  );
}

function Running({ task }: { readonly task: Task }) {
  const { progress, state } = task;
  if (state !== "running" || progress?.total === undefined || progress.total <= 0) return null;
  return (
    <span className="ml-auto w-16 shrink-0 self-center">
      <Meter share={progress.done / progress.total} label="Progress" className="bg-running" />
    </span>
  );
}

function Time({ task }: { readonly task: Task }) {
  const { state, assignedAt, endedAt } = task;
  if (assignedAt === undefined) return <>–</>;
  if (state === "running") return <Lasted from={assignedAt} />;
  return finalStates.has(state) && endedAt !== undefined && endedAt >= assignedAt ? (
    <Lasted from={assignedAt} to={endedAt} />
  ) : (
    <>–</>
  );
}

function attemptTitle({ attempt, failures, kills }: Task): string {
  return `${counted(attempt, "attempt")}, ${failures} failed, ${kills} lost with a worker`;
}
