/** The latest of the attempts of a period, as a list: all, or those with one outcome. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ApiError } from "../../api/client.ts";
import { presentTaskQuery } from "../../api/queries.ts";
import type { TaskAttempt } from "../../api/schema.ts";
import { Button, Segments } from "../../parts/controls.tsx";
import { useSiblings } from "../../parts/siblings.ts";
import { StateBadge } from "../../parts/states.tsx";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { Ago, Lasted } from "../../parts/time.tsx";
import { BesideNote } from "./besideNote.tsx";
import { useDying } from "./dying.ts";
import { type AnyOutcome, anyOutcomes } from "./outcome.ts";
import { OutcomeText } from "./outcomeText.tsx";

const listedAtOnce = 25;

interface AttemptListProps {
  readonly attempts: readonly TaskAttempt[];
  /** Then each says where its task is now, instead of the worker. */
  readonly isOfOneWorker?: boolean;
  /** Chosen at first; all if left out. */
  readonly outcome?: AnyOutcome | undefined;
}

export function AttemptList({ attempts, isOfOneWorker = false, outcome }: AttemptListProps) {
  const [chosen, setChosen] = useState<AnyOutcome | null>(outcome ?? null);
  const [listed, setListed] = useState(listedAtOnce);
  const isDying = useDying();
  const ofTask = useMemo(() => Map.groupBy(attempts, ({ task }) => task), [attempts]);
  const wanted = chosen === null ? attempts : attempts.filter((attempt) => outcomeOf(attempt) === chosen);
  const latest = wanted.toSorted((a, b) => b.assignedAt - a.assignedAt).slice(0, listed);
  if (attempts.length === 0) return null;
  return (
    <Card
      title="Attempts"
      note={`the latest ${latest.length} of ${wanted.length} in this period`}
      actions={<Outcomes attempts={attempts} chosen={chosen} onChoose={setChosen} />}
      isFlush
    >
      <Table
        label="Attempts"
        isDense={!isOfOneWorker}
        heads={["Task", "Attempt", isOfOneWorker ? "The task now" : "Worker", "Outcome", "Began", "Took"]}
      >
        {latest.map((attempt) => (
          <AttemptRow
            key={`${attempt.task} ${attempt.attempt}`}
            attempt={attempt}
            known={ofTask.get(attempt.task) ?? []}
            isDying={isDying(attempt)}
            isOfOneWorker={isOfOneWorker}
          />
        ))}
      </Table>
      {latest.length < wanted.length ? (
        <p className="border-t border-line px-4 py-2">
          <Button look="quiet" onClick={() => setListed(listed + listedAtOnce)}>
            Show {Math.min(listedAtOnce, wanted.length - latest.length)} more
          </Button>
        </p>
      ) : null}
    </Card>
  );
}

interface AttemptRowProps {
  readonly attempt: TaskAttempt;
  /** All of its task in this period. */
  readonly known: readonly TaskAttempt[];
  readonly isDying: boolean;
  readonly isOfOneWorker: boolean;
}

function AttemptRow({ attempt, known, isDying, isOfOneWorker }: AttemptRowProps) {
  const { data: task } = useQuery({ ...presentTaskQuery(attempt.task), enabled: isOfOneWorker });
  const beside = useSiblings(task);
  return (
    <Row>
      <Cell className="max-w-64 truncate font-medium">
        <Link
          to="/tasks/$id"
          params={{ id: attempt.task }}
          search={{ attempt: attempt.attempt }}
          data-row
          className="hover:underline"
        >
          {task === undefined ? attempt.name : titleOf(task, beside)}
        </Link>
      </Cell>
      <Cell className="figures">{attempt.attempt}</Cell>
      {isOfOneWorker ? (
        <Cell>
          <Now attempt={attempt} />
        </Cell>
      ) : (
        <Cell className="whitespace-nowrap text-soft">
          <Link to="/workers/$worker" params={{ worker: attempt.worker }} className="hover:underline">
            {attempt.worker}
          </Link>
        </Cell>
      )}
      {/* A note needs more room than one word. */}
      <Cell className="max-md:has-[svg]:col-span-full">
        <OutcomeText outcome={attempt.outcome} />
        <BesideNote attempt={attempt} attempts={known} isDying={isDying} />
      </Cell>
      <Cell className="text-muted">
        <Ago at={attempt.assignedAt} />
      </Cell>
      <Cell className="figures">
        <Lasted from={attempt.assignedAt} to={attempt.endedAt} />
      </Cell>
    </Row>
  );
}

/** How the task stands, and on which other worker it ran last. */
function Now({ attempt: { task: id, worker } }: { readonly attempt: TaskAttempt }) {
  const { data: task, error } = useQuery(presentTaskQuery(id));
  if (task === undefined)
    return (
      <span className="text-muted">{error instanceof ApiError && error.code === "not-found" ? "removed" : "…"}</span>
    );
  const { host, state } = task;
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <StateBadge state={state} />
      {host === undefined || host === worker ? null : (
        <span className="text-soft">
          on{" "}
          <Link to="/workers/$worker" params={{ worker: host }} className="text-accent hover:underline">
            {host}
          </Link>
        </span>
      )}
    </span>
  );
}

function outcomeOf({ outcome }: TaskAttempt): AnyOutcome {
  return outcome ?? "running";
}

interface OutcomesProps {
  readonly attempts: readonly TaskAttempt[];
  /** Null for all. */
  readonly chosen: AnyOutcome | null;
  readonly onChoose: (outcome: AnyOutcome | null) => void;
}

/** Those that there are, and what is chosen, which may have gone with the period. */
function Outcomes({ attempts, chosen, onChoose }: OutcomesProps) {
  const counts = anyOutcomes.map(
    (outcome) => [outcome, attempts.filter((each) => outcomeOf(each) === outcome).length] as const,
  );
  return (
    <Segments
      label="Outcomes"
      values={([["all", attempts.length], ...counts] as const)
        .filter(([name, count]) => count > 0 || name === chosen)
        .map(([name, count]) => [name, `${name} ${count}`] as const)}
      chosen={chosen ?? "all"}
      onChoose={(name) => onChoose(name === "all" ? null : name)}
    />
  );
}
