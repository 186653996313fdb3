/** One task of a family: its line, and below it its children, as far as they were asked for. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Task, TaskState } from "../../api/schema.ts";
import { type Generation, readChildren } from "../../api/taskReads.ts";
import { Button } from "../../parts/controls.tsx";
import { StateIcon, stateText, taskStates } from "../../parts/states.tsx";
import { Problem } from "../../parts/surfaces.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { waitingText } from "../../parts/waiting.ts";
import { hasEarlierChildren } from "../task/runs.ts";

const number = new Intl.NumberFormat();
const pageSize = 50;
/** What is opened is read again when something changes; more belongs into the list of tasks, which reads what is on the screen only. */
const pagesMax = 10;

type Counts = { readonly [State in TaskState]?: number };

interface FamilyNodeProps {
  readonly task: Task;
  /** The children that are shown beside it. */
  readonly beside?: readonly Task[];
  readonly isTop?: boolean;
  /** True where one of those beside it can be opened: all of them stand in line with it. */
  readonly isInLine?: boolean;
}

function hasChildren({ childCounts = {} }: Task): boolean {
  return taskStates.some((state) => (childCounts[state] ?? 0) > 0);
}

export function FamilyNode({ task, beside = [], isTop = false, isInLine = true }: FamilyNodeProps) {
  const [isOpen, setOpen] = useState(isTop);
  const [state, setState] = useState<TaskState | null>(null);
  const counts: Counts = task.childCounts ?? {};
  const isParent = hasChildren(task);
  const [isEarlierOpen, setEarlierOpen] = useState(false);
  const why =
    task.waiting === undefined ? (task.state === "success" ? undefined : task.error?.message) : waitingText(task);
  return (
    <li>
      <div
        className={`flex min-h-7 items-center gap-x-2 rounded px-1 hover:bg-hover/60 ${isParent ? "max-md:flex-wrap" : ""}`}
      >
        {isParent ? (
          <button
            type="button"
            aria-expanded={isOpen}
            aria-label={`Children of ${task.name}`}
            onClick={() => setOpen(!isOpen)}
            className="grid size-6 shrink-0 place-items-center rounded text-muted hover:bg-hover hover:text-text"
          >
            <span aria-hidden="true" className={isOpen ? "rotate-90" : ""}>
              ▸
            </span>
          </button>
        ) : isInLine ? (
          <span className="size-6 shrink-0" />
        ) : null}
        <StateIcon state={task.state} />
        <span className="sr-only">{task.state}</span>
        <Link
          to="/tasks/$id"
          params={{ id: task.id }}
          data-row
          className="max-w-full truncate font-medium hover:underline md:shrink-0"
        >
          {titleOf(task, beside)}
        </Link>
        {task.attempt > 1 ? <span className="whitespace-nowrap text-muted">attempt {task.attempt}</span> : null}
        {isParent ? (
          <StateCounts
            counts={counts}
            chosen={isOpen ? state : null}
            onChoose={(next) => {
              setState(next === state && isOpen ? null : next);
              setOpen(true);
            }}
          />
        ) : null}
        {hasEarlierChildren(task) ? (
          <Button look="quiet" aria-pressed={isEarlierOpen} onClick={() => setEarlierOpen(!isEarlierOpen)}>
            {isEarlierOpen ? "Hide" : "Show"} children from before
          </Button>
        ) : null}
        {why === undefined ? null : (
          <span
            title={why}
            className={`max-w-xl min-w-0 shrink-[9999] truncate text-muted ${isParent ? "max-md:basis-full max-md:pl-8" : ""}`}
          >
            {why}
          </span>
        )}
      </div>
      {isParent && isOpen ? (
        <Children key={state ?? "all"} parent={task} counts={counts} state={state} generation="present" />
      ) : null}
      {hasEarlierChildren(task) && isEarlierOpen ? (
        <Children parent={task} counts={{}} state={null} generation="earlier" />
      ) : null}
    </li>
  );
}

interface StateCountsProps {
  readonly counts: Counts;
  readonly chosen: TaskState | null;
  readonly onChoose: (state: TaskState) => void;
}

/** Also the choice of which children are shown. */
function StateCounts({ counts, chosen, onChoose }: StateCountsProps) {
  return (
    <span role="group" aria-label="Children by state" className="flex gap-1 max-md:flex-wrap">
      {taskStates.map((state) =>
        (counts[state] ?? 0) === 0 ? null : (
          <button
            key={state}
            type="button"
            aria-pressed={chosen === state}
            title={`Only children that are ${state}`}
            onClick={() => onChoose(state)}
            className={`inline-flex h-6 items-center gap-1 rounded-full border border-line px-2 text-xs whitespace-nowrap hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-wash ${stateText[state]}`}
          >
            <StateIcon state={state} size={11} />
            {number.format(counts[state] ?? 0)} {state}
          </button>
        ),
      )}
    </span>
  );
}

interface ChildrenProps {
  readonly parent: Task;
  readonly counts: Counts;
  readonly state: TaskState | null;
  readonly generation: Generation;
}

function Children({ parent, counts, state, generation }: ChildrenProps) {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ["children of", parent.id, state, generation],
    queryFn: ({ client, pageParam, signal }) =>
      readChildren(client, parent.id, { state, generation, cursor: pageParam, limit: pageSize }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: keepPreviousData,
  });
  const children = data?.pages.flatMap((page) => page.tasks) ?? [];
  const states = state === null ? taskStates : [state];
  const isInLine = children.some((each) => hasChildren(each) || hasEarlierChildren(each));
  const total = states.reduce((sum, each) => sum + (counts[each] ?? 0), 0);
  const isFull = (data?.pages.length ?? 0) >= pagesMax;
  return (
    <div className="ml-4 border-l border-line pl-2">
      {error === null ? null : <Problem error={error} />}
      <ul
        aria-label={generation === "present" ? `Children of ${parent.name}` : `Children of ${parent.name} from before`}
      >
        {children.map((child) => (
          <FamilyNode key={child.id} task={child} beside={children} isInLine={isInLine} />
        ))}
      </ul>
      {data !== undefined && hasNextPage ? (
        <p className="flex items-center gap-3 py-1 pl-8 text-muted">
          <span>
            {number.format(children.length)}
            {generation === "present" ? ` of ${number.format(Math.max(total, children.length))}` : ""} shown
          </span>
          {isFull ? null : (
            <Button look="quiet" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
              Show {pageSize} more
            </Button>
          )}
          <Link
            to="/tasks"
            search={{ parent: parent.id, ...(state !== null && { state }) }}
            className="text-accent hover:underline"
          >
            All of them in the list of tasks
          </Link>
        </p>
      ) : null}
    </div>
  );
}
