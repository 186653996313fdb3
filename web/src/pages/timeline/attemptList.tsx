/** The latest of the attempts that a timeline shows, as a list. */
import { Link } from "@tanstack/react-router";
import type { TaskAttempt } from "../../api/schema.ts";
import { Card } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";

const listed = 25;

export function AttemptList({ attempts }: { readonly attempts: readonly TaskAttempt[] }) {
  const latest = attempts.toSorted((a, b) => b.assignedAt - a.assignedAt).slice(0, listed);
  if (latest.length === 0) return null;
  return (
    <Card title="Attempts" note={`the latest ${latest.length} of ${attempts.length} in this period`} isFlush>
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
            <Cell>{attempt.outcome ?? "running"}</Cell>
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
