/** Where a page of a task stands: below the list of tasks, and below the task. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface TaskPathProps {
  readonly id: string;
  readonly name: string;
  /** Steps between the list and the task, each followed by its slash. */
  readonly above?: ReactNode;
  /** Stands at the end of the line. */
  readonly children?: ReactNode;
}

export function TaskPath({ id, name, above, children }: TaskPathProps) {
  return (
    <BelowTasks>
      {above}
      <Link to="/tasks/$id" params={{ id }} className="truncate hover:text-text hover:underline">
        {name}
      </Link>
      {children}
    </BelowTasks>
  );
}

/** The line above a page that stands below the list of tasks. */
export function BelowTasks({ children }: { readonly children: ReactNode }) {
  return (
    <nav aria-label="Breadcrumb" className="mb-1 flex items-center gap-1.5 text-muted">
      <Link to="/tasks" className="hover:text-text hover:underline">
        Tasks
      </Link>
      <span aria-hidden="true">/</span>
      {children}
    </nav>
  );
}
