/** What stands in the place of a page about a task that cannot be read. */
import { Link } from "@tanstack/react-router";
import { ApiError } from "../api/client.ts";
import { Empty, PageHeader, Problem } from "./surfaces.tsx";

export function TaskProblem({ error }: { readonly error: unknown }) {
  // 400: no task can have the id that the address says.
  if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 400)) return <Problem error={error} />;
  return (
    <>
      <PageHeader title="Unknown task" />
      <div className="card">
        <Empty title={error.status === 404 ? error.message : "No task can have the id in this address"}>
          {error.status === 404 ? error.hint : error.message}
          <Link to="/tasks" className="block text-accent hover:underline">
            See the tasks that there are
          </Link>
        </Empty>
      </div>
    </>
  );
}
