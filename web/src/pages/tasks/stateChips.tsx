/** The states by which tasks are filtered, with how many there are, and one chip for all that is queued. */
import type { ReactNode } from "react";
import type { TaskState } from "../../api/schema.ts";
import { StateIcon, stateMeanings, taskStates } from "../../parts/states.tsx";
import { queuedStates, type StateCounts, toggled } from "./filters.ts";

const number = new Intl.NumberFormat(undefined, { notation: "compact" });

interface StateChipsProps {
  readonly chosen: readonly TaskState[];
  /** Null where it is not known how many match. */
  readonly counts: StateCounts | null;
  readonly onChoose: (states: readonly TaskState[]) => void;
}

export function StateChips({ chosen, counts, onChoose }: StateChipsProps) {
  const countOf = (states: readonly TaskState[]) => states.reduce((sum, state) => sum + (counts?.[state] ?? 0), 0);
  return (
    <div role="group" aria-label="States" className="flex flex-wrap gap-1">
      <Chip
        title="Waits to be started: created, retrying and killed"
        isChosen={queuedStates.every((state) => chosen.includes(state))}
        count={countOf(queuedStates)}
        onToggle={() => onChoose(toggled(chosen, queuedStates))}
      >
        queued
      </Chip>
      {taskStates.map((state) => (
        <Chip
          key={state}
          title={stateMeanings[state]}
          isChosen={chosen.includes(state)}
          count={countOf([state])}
          onToggle={() => onChoose(toggled(chosen, [state]))}
        >
          <StateIcon state={state} size={12} />
          {state}
        </Chip>
      ))}
    </div>
  );
}

interface ChipProps {
  readonly title: string;
  readonly isChosen: boolean;
  /** 0 where there is none, or where it is not known. */
  readonly count: number;
  readonly onToggle: () => void;
  readonly children: ReactNode;
}

function Chip({ title, isChosen, count, onToggle, children }: ChipProps) {
  return (
    <button
      type="button"
      title={title}
      aria-pressed={isChosen}
      onClick={onToggle}
      className="inline-flex h-7 items-center gap-1.5 rounded-full border border-line bg-surface px-2.5 text-xs font-medium text-soft hover:border-line-strong aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-accent max-md:h-8"
    >
      {children}
      {count === 0 ? null : <span className="text-muted">{number.format(count)}</span>}
    </button>
  );
}
