/** All tasks by state: one strip in proportion, and a figure for each state that leads to its tasks. */
import { Link } from "@tanstack/react-router";
import type { TaskState } from "../../api/schema.ts";
import { StateIcon, stateFill, stateMeanings, taskStates } from "../../parts/states.tsx";

const number = new Intl.NumberFormat();

export function StateStrip({ tasks }: { readonly tasks: { readonly [state: string]: number } }) {
  const total = taskStates.reduce((sum, state) => sum + (tasks[state] ?? 0), 0);
  return (
    <div>
      <div aria-hidden="true" className="flex h-2.5 gap-px overflow-hidden rounded-full bg-raised">
        {taskStates.map((state) => {
          const count = tasks[state] ?? 0;
          if (count === 0) return null;
          return (
            <span
              key={state}
              className={`${stateFill[state]} min-w-1 transition-[flex-grow] duration-500`}
              style={{ flexGrow: count / total }}
            />
          );
        })}
      </div>
      <ul className="mt-4 grid grid-cols-[repeat(auto-fit,minmax(5.75rem,1fr))] gap-1">
        {taskStates.map((state) => (
          <li key={state}>
            <Figure state={state} count={tasks[state] ?? 0} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What they wait for: none of these is an end. */
const waits: { readonly [State in TaskState]?: string } = {
  created: "to start",
  retrying: "to run again",
  killed: "to run again",
};

function Figure({ state, count }: { readonly state: TaskState; readonly count: number }) {
  return (
    <Link
      to="/tasks"
      search={{ state }}
      title={stateMeanings[state]}
      className="block rounded-md px-2 py-1.5 hover:bg-hover"
    >
      <span className="flex items-center gap-1.5 text-xs text-muted">
        <StateIcon state={state} size={12} />
        {state}
      </span>
      <span className={`text-xl font-semibold tracking-[-0.02em] ${count === 0 ? "text-muted" : ""}`}>
        {number.format(count)}
      </span>
      {count === 0 || waits[state] === undefined ? null : (
        <span className="block text-2xs whitespace-nowrap text-muted">
          {count === 1 ? "waits" : "wait"} {waits[state]}
        </span>
      )}
    </Link>
  );
}
