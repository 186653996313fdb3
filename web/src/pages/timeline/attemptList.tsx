/** The latest of the attempts that a timeline shows, as a list: all, or those with one outcome. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { TaskAttempt } from "../../api/schema.ts";
import { Segments } from "../../parts/controls.tsx";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";

const listed = 25;
const outcomes = ["running", "killed", "failed", "success", "suspended", "aborted", "cancelled"] as const;
type Outcome = (typeof outcomes)[number];

export function AttemptList({ attempts }: { readonly attempts: readonly TaskAttempt[] }) {
  const [chosen, setChosen] = useState<Outcome | null>(null);
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
      <Table label="Attempts" heads={["Task", "Attempt", "Worker", "Outcome", "Began", "Took"]}>
        {latest.map((attempt) => (
          <Row key={`${attempt.task} ${attempt.attempt}`}>
            <Cell className="max-w-64 truncate font-medium">
              <Link
                to="/tasks/$id"
                params={{ id: attempt.task }}
                search={{ attempt: attempt.attempt }}
                data-row
                className="hover:underline"
              >
                {attempt.name}
              </Link>
            </Cell>
            <Cell className="figures">{attempt.attempt}</Cell>
            <Cell className="whitespace-nowrap text-soft">{attempt.worker}</Cell>
            <Cell>{outcomeOf(attempt)}</Cell>
            <Cell className="text-muted">
              <Ago at={attempt.assignedAt} />
            </Cell>
            <Cell className="figures">
              <Lasted from={attempt.assignedAt} to={attempt.endedAt} />
            </Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}

function outcomeOf({ outcome }: TaskAttempt): Outcome {
  return outcome ?? "running";
}

interface OutcomesProps {
  readonly attempts: readonly TaskAttempt[];
  /** Null for all. */
  readonly chosen: Outcome | null;
  readonly onChoose: (outcome: Outcome | null) => void;
}

/** Those that there are, and what is chosen, which may have gone with the period. */
function Outcomes({ attempts, chosen, onChoose }: OutcomesProps) {
  const counts = outcomes.map(
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
