/** The filters above the list of tasks. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { get, segment } from "../../api/client.ts";
import { queuesQuery, statusQuery, workersQuery } from "../../api/queries.ts";
import type { Task, TaskState } from "../../api/schema.ts";
import { Button, Field, Kbd, Select } from "../../parts/controls.tsx";
import { reasonText, waitingReasons } from "../../parts/waiting.ts";
import { countsOf, statesOf, type TaskFilters } from "./filters.ts";
import { StateChips } from "./stateChips.tsx";

interface FilterBarProps {
  readonly filters: TaskFilters;
  readonly onChange: (filters: TaskFilters) => void;
}

export function FilterBar({ filters, onChange }: FilterBarProps) {
  const all = useQuery(statusQuery).data?.stats.tasks ?? {};
  const queues = useQuery(queuesQuery).data?.queues ?? [];
  const chosen = statesOf(filters.state);
  const choose = (states: readonly TaskState[]) => {
    const { state: _state, ...rest } = filters;
    onChange(states.length === 0 ? rest : { ...rest, state: states.join(",") });
  };
  /** Only where there is little room: there they would fill the first half of the page. */
  const [isUnfolded, setUnfolded] = useState(false);
  const folded = isUnfolded ? "" : "max-md:hidden";
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <div className="mb-3 grid gap-2">
      <div className="flex flex-wrap items-center gap-2">
        <Search filters={filters} onChange={onChange} />
        <Button className="md:hidden" aria-expanded={isUnfolded} onClick={() => setUnfolded(!isUnfolded)}>
          Filters{isFiltered ? ` · ${Object.keys(filters).length}` : ""}{" "}
          <span aria-hidden="true">{isUnfolded ? "▴" : "▾"}</span>
        </Button>
        <Selects filters={filters} onChange={onChange} className={folded} />
        {filters.parent === undefined ? (
          <TopLevelBox filters={filters} onChange={onChange} className={folded} />
        ) : (
          <span className="min-w-0 truncate text-soft">
            Children of{" "}
            <Link
              to="/tasks/$id/family"
              params={{ id: filters.parent }}
              className="font-mono text-xs text-accent hover:underline"
            >
              {filters.parent}
            </Link>
          </span>
        )}
        {isFiltered ? (
          <Button look="quiet" onClick={() => onChange({})}>
            Clear filters
          </Button>
        ) : null}
      </div>
      <div className={folded}>
        <StateChips chosen={chosen} counts={countsOf(filters, all, queues)} onChoose={choose} />
      </div>
    </div>
  );
}

/** Without it, children stand among all others. */
function TopLevelBox({ filters, onChange, className }: SelectsProps) {
  const { roots, ...rest } = filters;
  return (
    <label
      className={`flex h-7 items-center gap-1.5 whitespace-nowrap text-soft max-md:h-9 ${className}`}
      title="Without the children of other tasks"
    >
      <input
        type="checkbox"
        className="size-3.5 accent-accent-fill"
        checked={roots === true}
        onChange={(event) => onChange(event.target.checked ? { ...rest, roots: true } : rest)}
      />
      Top level only
    </label>
  );
}

interface SelectsProps extends FilterBarProps {
  readonly className: string;
}

function Selects({ filters, onChange, className }: SelectsProps) {
  const queues = useQuery(queuesQuery).data?.queues ?? [];
  const workers = useQuery(workersQuery).data?.workers ?? [];
  const set = (name: "queue" | "host" | "waiting" | "order", value: string) => {
    const { [name]: _old, ...rest } = filters;
    onChange(value === "" ? rest : { ...rest, [name]: value });
  };
  return (
    <>
      <NameSelect
        label="Queue"
        all="All queues"
        names={queues.map(({ name }) => name)}
        chosen={filters.queue}
        onChoose={(name) => set("queue", name)}
        className={className}
      />
      <NameSelect
        label="Worker"
        all="All workers"
        names={workers.map(({ id }) => id)}
        chosen={filters.host}
        onChoose={(id) => set("host", id)}
        className={className}
      />
      <Select
        className={`${className} max-w-72 field-sizing-content`}
        aria-label="Waits for"
        value={filters.waiting ?? ""}
        onChange={(event) => set("waiting", event.target.value)}
      >
        <option value="">Waiting or not</option>
        {waitingReasons.map((reason) => (
          <option key={reason} value={reason}>
            Waits for {reasonText(reason)}
          </option>
        ))}
      </Select>
      <Select
        className={className}
        aria-label="Order"
        value={filters.order ?? ""}
        onChange={(event) => set("order", event.target.value)}
      >
        <option value="">Newest first</option>
        <option value="oldest">Oldest first</option>
      </Select>
    </>
  );
}

interface NameSelectProps {
  readonly label: string;
  /** What stands for no choice. */
  readonly all: string;
  readonly names: readonly string[];
  readonly chosen: string | undefined;
  /** Called with an empty text for all. */
  readonly onChoose: (name: string) => void;
  readonly className: string;
}

/** What is chosen stays in the list, also if it is gone. */
function NameSelect({ label, all, names, chosen = "", onChoose, className }: NameSelectProps) {
  const listed = new Set([...names, ...(chosen === "" ? [] : [chosen])]);
  return (
    <Select className={className} aria-label={label} value={chosen} onChange={(event) => onChoose(event.target.value)}>
      <option value="">{all}</option>
      {[...listed].toSorted().map((name) => (
        <option key={name}>{name}</option>
      ))}
    </Select>
  );
}

/** Finds a task by its id, or tasks by their name. */
function Search({ filters, onChange }: FilterBarProps) {
  const [text, setText] = useState(filters.name ?? "");
  const navigate = useNavigate();
  const find = async () => {
    const wanted = text.trim();
    const { name: _name, ...rest } = filters;
    if (wanted === "") return onChange(rest);
    // No id holds blanks.
    const task = /\s/.test(wanted) ? null : await get<Task>(`/v1/tasks/${segment(wanted)}`).catch(() => null);
    if (task === null) return onChange({ ...rest, name: wanted });
    return navigate({ to: "/tasks/$id", params: { id: task.id } });
  };
  return (
    <form
      role="search"
      className="relative min-w-56 flex-1 max-md:basis-full md:max-w-80"
      onSubmit={(event) => {
        event.preventDefault();
        void find();
      }}
    >
      <Field
        data-search
        type="search"
        aria-label="Find a task by its id, or tasks by their name"
        placeholder="Id or exact name"
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="w-full pr-8"
      />
      <span aria-hidden="true" className="pointer-events-none absolute inset-y-0 right-2 flex items-center">
        <Kbd>/</Kbd>
      </span>
    </form>
  );
}
