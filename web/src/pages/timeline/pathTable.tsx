/** The critical path in words: each attempt and each wait of it, when it began, and its share of the whole. */
import { Link } from "@tanstack/react-router";
import { Card, Meter } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { durationText } from "../../parts/time.tsx";
import type { Member, PathPart, WaitReason } from "./criticalPath.ts";
import { OutcomeText } from "./outcomeText.tsx";

/** Of a longer path, those parts that took longest are listed, in the order of time. */
const listed = 100;

const waitTexts: { readonly [Reason in WaitReason]: string } = {
  start: "waits for a worker, or for its time",
  before: "waits for a worker, after what it comes after",
  again: "waits for its next attempt",
  lost: "waits for another worker, its own was lost",
  retried: "waits until it is retried",
  asleep: "sleeps, or waits for a signal",
  family: "waits for a worker to go on, after its children",
  made: "waits until its children are made",
  report: "waits until its end is taken in",
};

export function PathTable({ root, path }: { readonly root: Member; readonly path: readonly PathPart[] }) {
  const wholeMs = Math.max(1, root.changedAt - root.createdAt);
  const ranMs = path.reduce((sum, { attempt, from, to }) => sum + (attempt === null ? 0 : to - from), 0);
  const longest = new Set(path.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, listed));
  const shown = path.filter((part) => longest.has(part));
  const note = `${durationText(wholeMs)} in all, ${durationText(ranMs)} of it in attempts`;
  return (
    <Card
      title="Critical path"
      note={path.length > listed ? `${note}; the longest ${listed} of ${path.length} parts` : note}
      isFlush
    >
      <Table label="Critical path" heads={["After", "Task", "What", "Took", "Share"]}>
        {shown.map((part) => (
          <Row key={`${part.task} ${part.from}`}>
            <Cell className="figures whitespace-nowrap text-muted">
              <span className="md:hidden">After </span>
              {durationText(part.from - root.createdAt)}
            </Cell>
            <Cell className="max-w-64 truncate font-medium">
              <Link
                to="/tasks/$id"
                params={{ id: part.task }}
                search={part.attempt === null ? {} : { attempt: part.attempt.attempt }}
                data-row
                className="hover:underline"
              >
                {part.name}
              </Link>
            </Cell>
            <Cell>
              <What part={part} />
            </Cell>
            <Cell className="figures whitespace-nowrap">{durationText(part.to - part.from)}</Cell>
            <Cell className="min-w-24">
              <Meter
                share={(part.to - part.from) / wholeMs}
                label={`Share of ${part.name}`}
                className={part.attempt === null ? "bg-created" : "bg-accent-fill"}
              />
            </Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}

function What({ part: { attempt, wait } }: { readonly part: PathPart }) {
  if (attempt === null) return <span className="text-muted">{wait === null ? "" : waitTexts[wait]}</span>;
  return (
    <span className="md:whitespace-nowrap">
      attempt {attempt.attempt} on {attempt.worker}, <OutcomeText outcome={attempt.outcome} />
    </span>
  );
}
