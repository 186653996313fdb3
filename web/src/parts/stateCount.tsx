/** How many tasks of something are in a state, and the way to a list of them. */
import { Link } from "@tanstack/react-router";
import type { TaskState } from "../api/schema.ts";
import { StateIcon } from "./states.tsx";

const number = new Intl.NumberFormat();

interface StateCountProps {
  readonly state: TaskState;
  readonly count: number;
  /** Whose tasks are counted. */
  readonly of: { readonly queue: string } | { readonly parent: string };
  readonly className?: string;
}

export function StateCount({ state, count, of, className = "" }: StateCountProps) {
  return (
    <Link
      to="/tasks"
      search={{ ...of, state }}
      title={state}
      className={`inline-flex items-center gap-1 hover:underline ${className}`}
    >
      {/* Nothing turns where nothing runs. */}
      {count === 0 ? null : <StateIcon state={state} size={12} />}
      <span className="sr-only">{state}</span>
      {number.format(count)}
    </Link>
  );
}
