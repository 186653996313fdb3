/** The attempts of a task: where each ran, when, for how long, and how it ended. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { attemptsOfTaskQuery } from "../../api/queries.ts";
import type { Attempt, Task } from "../../api/schema.ts";
import { Button } from "../../parts/controls.tsx";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";
import { BesideNote } from "../timeline/besideNote.tsx";
import { useDying } from "../timeline/dying.ts";
import { OutcomeText } from "../timeline/outcomeText.tsx";
import { runsOf } from "./runs.ts";

export function AttemptsCard({ task, shown }: { readonly task: Task; readonly shown: number | null }) {
  const attempts = useQuery({ ...attemptsOfTaskQuery(task.id), enabled: task.attempt > 0 }).data?.attempts ?? [];
  const { present, earlier } = runsOf(task, attempts);
  // Whoever asks for the log of an earlier one should see where he is.
  const [isOpen, setOpen] = useState(earlier.some(({ attempt }) => attempt === shown));
  const { retriedAt } = task;
  return (
    <>
      {present.length === 0 ? null : (
        <Card title="Attempts" note={String(task.attempt - earlier.length)} isFlush>
          <AttemptTable label="Attempts" attempts={present} known={attempts} task={task} shown={shown} />
        </Card>
      )}
      {earlier.length === 0 || retriedAt === undefined ? null : (
        <Card
          title="Attempts before the retry"
          note={
            <>
              {earlier.length}, retried <Ago at={retriedAt} />
            </>
          }
          isFlush
          actions={
            <Button look="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {isOpen ? "Hide" : "Show"}
            </Button>
          }
        >
          {isOpen ? (
            <AttemptTable
              label="Attempts before the retry"
              attempts={earlier}
              known={attempts}
              task={task}
              shown={shown}
            />
          ) : null}
        </Card>
      )}
    </>
  );
}

interface AttemptTableProps {
  readonly label: string;
  readonly attempts: readonly Attempt[];
  /** All of the task, beside which these may have run. */
  readonly known: readonly Attempt[];
  readonly task: Task;
  readonly shown: number | null;
}

function AttemptTable({ label, attempts, known, task, shown }: AttemptTableProps) {
  const isDying = useDying();
  return (
    <Table label={label} heads={["Attempt", "Outcome", "Worker", "Began", "Took", "Error", "Log"]}>
      {attempts.toReversed().map((attempt) => (
        <Row key={attempt.attempt}>
          <Cell className="figures font-medium">
            <span className="md:hidden">Attempt </span>
            {attempt.attempt}
          </Cell>
          <Cell>
            <OutcomeText outcome={attempt.outcome} />
            <BesideNote attempt={attempt} attempts={known} isDying={isDying({ ...attempt, task: task.id })} />
          </Cell>
          <Cell>
            <Link to="/workers" search={{ worker: attempt.worker }} className="text-accent hover:underline">
              {attempt.worker}
            </Link>
          </Cell>
          <Cell className="text-muted">
            <Ago at={attempt.assignedAt} />
          </Cell>
          <Cell>
            <Lasted from={attempt.assignedAt} to={attempt.endedAt} />
          </Cell>
          <Cell className="max-w-80 truncate text-soft">{attempt.error?.message ?? ""}</Cell>
          <Cell>
            <Link
              to="/tasks/$id"
              params={{ id: task.id }}
              search={{ attempt: attempt.attempt }}
              aria-current={attempt.attempt === shown ? "true" : undefined}
              className="text-accent hover:underline aria-[current]:font-semibold"
            >
              from here
            </Link>
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
