/** Where no task has exactly the name that was looked for: those of the newest tasks that have it as a part. One page of the list is read. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { taskListQuery } from "../../api/queries.ts";
import { Empty } from "../../parts/surfaces.tsx";
import type { TaskFilters } from "./filters.ts";

/** Only whole names are found among all tasks, so that finding them costs the same however many tasks there are. */
const tasksRead = 500;
const namesShown = 20;

export function NearNames({ filters, name }: { readonly filters: TaskFilters; readonly name: string }) {
  const { name: _name, ...others } = filters;
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
