/** A task with all that is below it. Children are counted by state and read page by page when they are opened, so that a million of them are no more than one. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { taskQuery } from "../../api/queries.ts";
import { useSiblings } from "../../parts/siblings.ts";
import { StateBadge } from "../../parts/states.tsx";
import { Empty, Loading, PageHeader } from "../../parts/surfaces.tsx";
import { TaskPath } from "../../parts/taskPath.tsx";
import { TaskProblem } from "../../parts/taskProblem.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { hasEarlierChildren } from "../task/runs.ts";
import { FamilyNode } from "./familyNode.tsx";

const route = getRouteApi("/tasks/$id/family");

export function FamilyPage() {
  const { id } = route.useParams();
  const { data: task, error } = useQuery(taskQuery(id));
  const beside = useSiblings(task);
  if (task === undefined) return error === null ? <Loading what="the family" /> : <TaskProblem error={error} />;
  return (
    <>
      <TaskPath
        id={id}
        name={titleOf(task, beside)}
        above={
          task.parent === undefined ? null : (
            <>
              <Link
                to="/tasks/$id/family"
                params={{ id: task.parent }}
                className="truncate font-mono text-xs hover:text-text hover:underline"
              >
                {task.parent}
              </Link>
              <span aria-hidden="true">/</span>
            </>
          )
        }
      />
      <PageHeader title={`Family of ${titleOf(task, beside)}`} note={<StateBadge state={task.state} />} />
      <div className="card overflow-x-auto p-2">
        {Object.keys(task.childCounts ?? {}).length === 0 && !hasEarlierChildren(task) ? (
          <Empty title="This task has no children">
            A handler makes them with ctx.all and its relatives; see docs/handlers.md.
          </Empty>
        ) : (
          <ul aria-label="Family" className="md:min-w-max">
            <FamilyNode key={task.id} task={task} beside={beside} isTop />
          </ul>
        )}
      </div>
    </>
  );
}
