/** Where no task has exactly the name that was looked for: those of the newest tasks that have it as a part, and the children that lists show under it. One page of each is read. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { indexOf, isDescendant } from "../../../../src/model/family.ts";
import type { TaskId } from "../../../../src/model/ids.ts";
import { taskListQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { StateBadge } from "../../parts/states.tsx";
import { Empty } from "../../parts/surfaces.tsx";
import { numberedTitle } from "../../parts/taskTitle.ts";
import { Ago } from "../../parts/time.tsx";
import type { TaskFilters } from "./filters.ts";

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
  return numbered.length === 0 ? <Near others={others} name={name} /> : <Numbered name={name} tasks={numbered} />;
}

/** Children without a name of their own are shown as their kind with their number. Undefined while they are read. */
function useNumbered(others: TaskFilters, name: string): readonly Task[] | undefined {
  const wanted = numberedTitle(name);
  const read = taskListQuery({ ...others, name: wanted?.name, limit: tasksRead });
  const { data } = useQuery({ ...read, meta: { of: [] }, enabled: wanted !== null });
  if (wanted === null) return [];
  return data?.tasks.filter(
    ({ id, name: each, kind }) => each === kind && isDescendant(id) && indexOf(id as TaskId) === wanted.index,
  );
}

function Numbered({ name, tasks }: { readonly name: string; readonly tasks: readonly Task[] }) {
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
        {tasks.length > namesShown ? `The newest ${namesShown} are shown.` : null}
      </span>
    </Empty>
  );
}

function Near({ others, name }: { readonly others: TaskFilters; readonly name: string }) {
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
