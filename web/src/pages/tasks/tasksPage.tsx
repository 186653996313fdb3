/** All tasks in one table: filters in the address, live, and as many rows as there are. */
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState } from "react";
import { useMay, useMayControl } from "../../api/rights.ts";
import type { Task } from "../../api/schema.ts";
import { Button } from "../../parts/controls.tsx";
import { useNarrow } from "../../parts/narrow.ts";
import { Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { useUntilGone } from "../../parts/untilGone.ts";
import { reasonText } from "../../parts/waiting.ts";
import { isRetriable } from "../task/retryDialog.tsx";
import { BulkDialog, type BulkVerb, isAble, matchesMax, readMatches } from "./bulk.tsx";
import { FilterBar } from "./filterBar.tsx";
import { queuedStates, readFilters, type TaskFilters } from "./filters.ts";
import { AllThatMatchButton } from "./matching.tsx";
import { NearNames } from "./nearNames.tsx";
import { type TaskPages, useTaskPages } from "./taskPages.ts";
import { columns, NarrowRow, WideRow } from "./taskRow.tsx";

const route = getRouteApi("/tasks");
const heads = ["", "State", "Name", "Kind", "Queue", "Worker", "Attempts", "Created", "Time"];
/** More is read when so few rows are left below. */
const rowsAhead = 60;

export function TasksPage() {
  // The router hands on what the address says besides, too.
  const filters = readFilters(route.useSearch());
  const navigate = useNavigate();
  const pages = useTaskPages(filters);
  const [selected, setSelected] = useState<ReadonlyMap<string, Task>>(new Map());
  const [bulk, setBulk] = useState<Bulk | null>(null);
  const [selectError, setSelectError] = useState<unknown>(null);
  const maySubmit = useMay("submit");
  const select = useCallback((task: Task, isSelected: boolean) => {
    setSelected((before) => {
      const next = new Map(before);
      if (isSelected) next.set(task.id, task);
      else next.delete(task.id);
      return next;
    });
  }, []);
  const change = (next: TaskFilters) => {
    setSelected(new Map());
    setSelectError(null);
    void navigate({ to: "/tasks", search: next, replace: true });
  };
  // What is known of a task by now counts, not what it was when it was chosen.
  const current = new Map(pages.tasks.map((task) => [task.id, task]));
  const chosen = [...selected.values()].map((task) => current.get(task.id) ?? task);
  return (
    <>
      <PageHeader title="Tasks" note={pages.isLoaded ? countText(pages) : undefined}>
        {maySubmit ? <AllThatMatchButton verb="retry" filters={filters} onClose={() => void pages.refresh()} /> : null}
        {maySubmit ? <AllThatMatchButton verb="cancel" filters={filters} onClose={() => void pages.refresh()} /> : null}
        {maySubmit ? (
          <SelectAll
            key={JSON.stringify(filters)}
            filters={filters}
            onError={setSelectError}
            onFound={(tasks) => setSelected(new Map(tasks.map((task) => [task.id, task])))}
          />
        ) : null}
      </PageHeader>
      <FilterBar key={filters.name ?? ""} filters={filters} onChange={change} />
      {chosen.length === 0 ? null : (
        <SelectionTools chosen={chosen} onBulk={setBulk} onClear={() => setSelected(new Map())} />
      )}
      {(pages.error ?? selectError) === null ? null : (
        <div className="mb-3">
          <Problem error={pages.error ?? selectError} isTriedAgain={pages.error !== null} />
        </div>
      )}
      <TaskTable pages={pages} selected={selected} onSelect={maySubmit ? select : null} filters={filters} />
      {bulk === null ? null : (
        <BulkDialog
          {...bulk}
          onClose={() => {
            setBulk(null);
            setSelected(new Map());
            void pages.refresh();
          }}
        />
      )}
    </>
  );
}

interface Bulk {
  readonly verb: BulkVerb;
  readonly tasks: readonly Task[];
}

interface SelectionToolsProps {
  readonly chosen: readonly Task[];
  readonly onBulk: (bulk: Bulk) => void;
  readonly onClear: () => void;
}

/** What can be done with at least one of the chosen tasks; what people most often want of failed ones comes first. */
function SelectionTools({ chosen, onBulk, onClear }: SelectionToolsProps) {
  const mayControl = useMayControl();
  return (
    <div
      role="toolbar"
      aria-label="Selected tasks"
      className="sticky top-2 z-10 mb-3 flex flex-wrap items-center gap-2 rounded-lg border border-accent/40 bg-surface px-3 py-2 shadow-[0_6px_20px_var(--shadow)]"
    >
      <span className="font-medium">{chosen.length} selected</span>
      {chosen.some((task) => isRetriable(task) && mayControl(task)) ? (
        <Button look="primary" onClick={() => onBulk({ verb: "retry", tasks: chosen.filter(mayControl) })}>
          Retry …
        </Button>
      ) : null}
      {chosen.some((task) => isAble(task, "again")) ? (
        <Button onClick={() => onBulk({ verb: "again", tasks: chosen })}>Run again …</Button>
      ) : null}
      {chosen.some((task) => isAble(task, "cancel") && mayControl(task)) ? (
        <Button look="danger" onClick={() => onBulk({ verb: "cancel", tasks: chosen.filter(mayControl) })}>
          Cancel …
        </Button>
      ) : null}
      <Button look="quiet" className="ml-auto" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

function countText({ tasks, hasMore }: TaskPages): string {
  return `${new Intl.NumberFormat().format(tasks.length)}${hasMore ? "+" : ""} shown`;
}

interface SelectAllProps {
  readonly filters: TaskFilters;
  readonly onFound: (tasks: readonly Task[]) => void;
  /** Told null when a new read begins. */
  readonly onError: (error: unknown) => void;
}

/** One for each choice of filters: what an earlier one has matched is no longer wanted. */
function SelectAll({ filters, onFound, onError }: SelectAllProps) {
  const [isReading, setReading] = useState(false);
  const abort = useUntilGone();
  return (
    <Button
      disabled={isReading}
      title={`At most ${matchesMax} of them`}
      onClick={() => {
        const { signal } = abort.current;
        setReading(true);
        onError(null);
        void readMatches(filters, signal)
          .then(onFound, (error: unknown) => signal.aborted || onError(error))
          .finally(() => setReading(false));
      }}
    >
      {isReading ? "Reading …" : "Select all that match"}
    </Button>
  );
}

interface TaskTableProps {
  readonly pages: TaskPages;
  readonly selected: ReadonlyMap<string, Task>;
  /** Null for those who may do nothing with tasks. */
  readonly onSelect: ((task: Task, isSelected: boolean) => void) | null;
  readonly filters: TaskFilters;
}

function TaskTable({ pages, selected, onSelect, filters }: TaskTableProps) {
  const isNarrow = useNarrow();
  const { tasks, hasMore, isLoaded, reads, loadMore, lookFurther, show } = pages;
  const box = useRef<HTMLDivElement>(null);
  const rows = useWindowVirtualizer({
    count: tasks.length,
    estimateSize: () => (isNarrow ? 52 : 36),
    overscan: 12,
    scrollMargin: box.current?.offsetTop ?? 0,
    getItemKey: (index) => tasks[index]?.id ?? index,
  });
  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    show(first, last);
    if (isLoaded && hasMore && last >= tasks.length - rowsAhead) loadMore();
  }, [first, last, show, isLoaded, hasMore, tasks.length, reads, loadMore]);
  useEffect(() => rows.measure(), [isNarrow, rows]);

  if (tasks.length === 0) {
    if (lookFurther !== null) return <LookFurther found={0} onGoOn={lookFurther} />;
    if (!isLoaded || hasMore) return <Loading what="the tasks" />;
    return (
      <div className="card">
        <NoTasks filters={filters} />
      </div>
    );
  }
  const RowView = isNarrow ? NarrowRow : WideRow;
  return (
    <>
      <div role="table" aria-label="Tasks" aria-rowcount={hasMore ? -1 : tasks.length} className="card overflow-hidden">
        {isNarrow ? null : (
          <div role="rowgroup">
            <div role="row" className={`${columns} h-9 border-b border-line px-4 text-xs font-medium text-muted`}>
              {heads.map((head) => (
                <span key={head} role="columnheader">
                  {head === "" ? <span className="sr-only">Selected</span> : head}
                </span>
              ))}
            </div>
          </div>
        )}
        <div ref={box} role="rowgroup" className="relative" style={{ height: rows.getTotalSize() }}>
          {items.map(({ index, key, start, size }) => {
            const task = tasks[index];
            if (task === undefined) return null;
            return (
              <div
                key={key}
                role="presentation"
                className="absolute inset-x-0 top-0"
                style={{ height: size, transform: `translateY(${start - rows.options.scrollMargin}px)` }}
              >
                <RowView task={task} beside={tasks} isSelected={selected.has(task.id)} onSelect={onSelect} />
              </div>
            );
          })}
        </div>
      </div>
      {lookFurther === null ? null : <LookFurther found={tasks.length} onGoOn={lookFurther} />}
    </>
  );
}

/** Where a great many tasks were looked at for those that wait for one reason. */
function LookFurther({ found, onGoOn }: { readonly found: number; readonly onGoOn: () => void }) {
  return (
    <div role="status" className="card mt-3 flex flex-wrap items-center justify-center gap-3 px-4 py-6 text-muted">
      {found === 0 ? "None" : "No more"} among many thousands of tasks that were looked at. There are more of them.
      <Button onClick={onGoOn}>Look further</Button>
    </div>
  );
}

function NoTasks({ filters }: { readonly filters: TaskFilters }) {
  if (Object.keys(filters).length === 0)
    return <Empty title="No tasks yet" command="outlast submit sleep 30 --name nap" />;
  if (filters.name !== undefined) return <NearNames filters={filters} name={filters.name} />;
  if (filters.waiting !== undefined) return <Empty title={`No task waits for ${reasonText(filters.waiting)} now`} />;
  const title = "No task matches these filters";
  if (filters.state !== "waiting") return <Empty title={title} />;
  return (
    <Empty title={title}>
      Tasks in this state have begun, and wait for their children, a signal or the end of a sleep. Those that wait to be
      started are{" "}
      <Link
        to="/tasks"
        search={{ ...filters, state: queuedStates.join(",") }}
        className="text-accent underline decoration-accent/40"
      >
        queued
      </Link>
      .
    </Empty>
  );
}
