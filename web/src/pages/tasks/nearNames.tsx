/** Where no task has exactly the name that was looked for: those of the newest tasks that have it as a part, and the children that lists show under it. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { get } from "../../api/client.ts";
import { taskListQuery } from "../../api/queries.ts";
import type { TaskPage } from "../../api/schema.ts";
import { counted } from "../../parts/counted.ts";
import { StateBadge } from "../../parts/states.tsx";
import { Empty } from "../../parts/surfaces.tsx";
import { numberedTitle } from "../../parts/taskTitle.ts";
import { Ago } from "../../parts/time.tsx";
import type { TaskFilters } from "./filters.ts";
import { findNumbered, type Numbered, nothingNumbered } from "./numbered.ts";

/** Only whole names are found among all tasks, so that finding them costs the same however many tasks there are. */
const tasksRead = 500;
const namesShown = 20;

interface NearNamesProps {
  readonly filters: TaskFilters;
  readonly name: string;
}

export function NearNames({ filters, name }: NearNamesProps) {
  const { name: _name, ...others } = filters;
  const numbered = useNumbered(others, name);
  if (numbered === undefined) return null;
  const { tasks } = numbered;
  if (tasks.length > 0) return <NumberedChildren name={name} numbered={numbered} />;
  return <Near others={others} name={name} numbered={numbered} />;
}

/** Children without a name of their own are shown as their kind with their number. Undefined while they are read. */
function useNumbered(others: TaskFilters, name: string): Numbered | undefined {
  const wanted = numberedTitle(name);
  const query = { ...others, name: wanted?.name, limit: tasksRead };
  const { data } = useQuery({
    queryKey: ["tasks", "numbered", query, wanted?.index],
    meta: { of: [] },
    enabled: wanted !== null,
    queryFn: ({ signal }) =>
      findNumbered((cursor) => get<TaskPage>("/v1/tasks", { ...query, cursor }, signal), wanted?.index ?? 0),
  });
  return wanted === null ? nothingNumbered : data;
}

interface NumberedProps {
  readonly name: string;
  readonly numbered: Numbered;
}

function NumberedChildren({ name, numbered: { tasks, looked, isWhole } }: NumberedProps) {
  return (
    <Empty title={tasks.length === 1 ? `“${name}” is a child` : `${tasks.length} children are called “${name}”`}>
      <span className="grid justify-items-center gap-1">
        {tasks.slice(0, namesShown).map((task) => (
          <span key={task.id} className="flex flex-wrap items-baseline justify-center gap-x-3">
            <Link to="/tasks/$id" params={{ id: task.id }} data-row className="text-accent hover:underline">
              {name}
            </Link>
            <StateBadge state={task.state} />
            <Ago at={task.createdAt} />
          </span>
        ))}
        {tasks.length > namesShown ? `The first ${namesShown} are shown.` : null}
        {isWhole ? null : `Found among ${counted(looked, "task")}; there may be more.`}
      </span>
    </Empty>
  );
}

interface NearProps extends NumberedProps {
  readonly others: TaskFilters;
}

function Near({ others, name, numbered: { looked, isWhole: isAll } }: NearProps) {
  const { data } = useQuery({ ...taskListQuery({ ...others, limit: tasksRead }), meta: { of: [] } });
  const wanted = name.toLowerCase();
  const found = new Set(
    (data?.tasks ?? []).flatMap((task) => (task.name.toLowerCase().includes(wanted) ? [task.name] : [])),
  );
  const { order = "newest", ...narrowing } = others;
  const narrowed = Object.keys(narrowing).length === 0 ? "" : " that match the other filters";
  const isWhole = data === undefined || data.cursor === null;
  const where = isWhole ? "" : ` among the ${order} ${data.tasks.length} tasks${narrowed}`;
  return (
    <Empty title={`No task has exactly the name “${name}”`}>
      {isAll
        ? null
        : `Children are found by their number only among the ${order} ${looked.toLocaleString()} tasks of their kind. `}
      {data === undefined ? null : found.size === 0 ? (
        `No name holds it${where}.`
      ) : (
        <>
          These names hold it{where}:{" "}
          <span className="flex flex-wrap justify-center gap-x-3 gap-y-1">
            {[...found].slice(0, namesShown).map((each) => (
              <Link
                key={each}
                to="/tasks"
                search={{ ...others, name: each }}
                data-row
                className="max-w-full truncate text-accent hover:underline"
              >
                {each}
              </Link>
            ))}
          </span>
        </>
      )}
    </Empty>
  );
}
