/** How the states of tasks look: each has a colour and a shape, so that colour alone never carries the meaning. */
import type { ReactNode } from "react";
import type { TaskState } from "../api/schema.ts";

/** In the order of a task's life. */
export const taskStates: readonly TaskState[] = [
  "created",
  "blocked",
  "running",
  "waiting",
  "retrying",
  "killed",
  "success",
  "failed",
  "cancelled",
  "skipped",
];

export const finalStates: ReadonlySet<TaskState> = new Set(["success", "failed", "cancelled", "skipped"]);

export const stateMeanings: { readonly [State in TaskState]: string } = {
  created: "Has not started yet: waits for its turn, its time or a worker",
  blocked: "Waits for other tasks to end",
  running: "Runs on a worker",
  waiting: "Has begun, and waits for its children, a signal or the end of a sleep",
  retrying: "Has failed, and is tried again after a while",
  killed: "Has lost its worker, and is started again",
  success: "Has succeeded",
  failed: "Has failed for good",
  cancelled: "Was cancelled",
  skipped: "Was not run, since what it depends on did not succeed",
};

/** Classes are written out, since the style sheet holds only what is found in the sources. */
export const stateText: { readonly [State in TaskState]: string } = {
  created: "text-created",
  blocked: "text-blocked",
  running: "text-running",
  waiting: "text-waiting",
  retrying: "text-retrying",
  killed: "text-killed",
  success: "text-success",
  failed: "text-failed",
  cancelled: "text-cancelled",
  skipped: "text-skipped",
};

export const stateFill: { readonly [State in TaskState]: string } = {
  created: "bg-created",
  blocked: "bg-blocked",
  running: "bg-running",
  waiting: "bg-waiting",
  retrying: "bg-retrying",
  killed: "bg-killed",
  success: "bg-success",
  failed: "bg-failed",
  cancelled: "bg-cancelled",
  skipped: "bg-skipped",
};

const line = {
  fill: "none",
  stroke: "currentColor",
  strokeWidth: 1.6,
  strokeLinecap: "round",
  strokeLinejoin: "round",
} as const;

const shapes: { readonly [State in TaskState]: ReactNode } = {
  created: <circle cx="8" cy="8" r="5.7" {...line} strokeDasharray="2.4 2.1" />,
  blocked: (
    <g {...line}>
      <rect x="3" y="3" width="10" height="10" rx="2" />
      <path d="M5.8 8h4.4" />
    </g>
  ),
  running: (
    <g {...line}>
      <circle cx="8" cy="8" r="5.7" opacity="0.3" />
      <path d="M8 2.3a5.7 5.7 0 0 1 5.7 5.7" />
    </g>
  ),
  waiting: (
    <g {...line}>
      <circle cx="8" cy="8" r="5.7" />
      <path d="M6.5 6.2v3.6M9.5 6.2v3.6" />
    </g>
  ),
  retrying: (
    <g {...line}>
      <path d="M13 8a5 5 0 1 1-1.6-3.7" />
      <path d="M13.2 2.6v2.6h-2.6" />
    </g>
  ),
  killed: (
    <g {...line}>
      <path d="M8 2.2 14 13H2Z" />
      <path d="M8 6.4v2.8M8 11v.1" />
    </g>
  ),
  success: (
    <g>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" />
      <path d="m5.3 8.2 1.9 1.9 3.6-3.9" {...line} stroke="var(--surface)" />
    </g>
  ),
  failed: (
    <g>
      <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3Z" fill="currentColor" />
      <path d="m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2" {...line} stroke="var(--surface)" />
    </g>
  ),
  cancelled: (
    <g {...line}>
      <circle cx="8" cy="8" r="5.7" />
      <path d="m4.2 11.8 7.6-7.6" />
    </g>
  ),
  skipped: (
    <g {...line}>
      <path d="m3.5 4 4 4-4 4" />
      <path d="m8.5 4 4 4-4 4" />
    </g>
  ),
};

export function StateIcon({ state, size = 14 }: { readonly state: TaskState; readonly size?: number }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      // As a whole: a part of it would be drawn anew for each frame, in each row.
      className={`shrink-0 ${state === "running" ? "turning" : ""} ${stateText[state]}`}
    >
      {shapes[state]}
    </svg>
  );
}

export function StateBadge({ state }: { readonly state: TaskState }) {
  return (
    <span
      title={stateMeanings[state]}
      className={`inline-flex items-center gap-1.5 font-medium whitespace-nowrap ${stateText[state]}`}
    >
      <StateIcon state={state} />
      {state}
    </span>
  );
}
