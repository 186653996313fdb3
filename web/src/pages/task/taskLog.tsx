/** The log on the page of a task: from the attempt that was asked for, or that ran when the page was opened; what is from before a retry says so. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { attemptsOfTaskQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { counted } from "../../parts/counted.ts";
import { Card } from "../../parts/surfaces.tsx";
import { LogView } from "./log/logView.tsx";
import { isBeforeRetry, runsOf } from "./runs.ts";

/**
 * The log goes on over later attempts, so it keeps the one that it began with; a retry begins anew.
 * @param asked by the address; null if none is
 * @returns null until an attempt of the present run has begun
 */
export function useShownAttempt(task: Task, asked: number | null): number | null {
  const present = task.attempt === 0 || isBeforeRetry(task) ? null : task.attempt;
  const [first, setFirst] = useState({ attempt: present, retriedAt: task.retriedAt });
  const isStale = first.retriedAt !== task.retriedAt || (first.attempt === null) !== (present === null);
  if (isStale) setFirst({ attempt: present, retriedAt: task.retriedAt });
  return asked ?? (isStale ? present : first.attempt);
}

export function TaskLog({ task, shown }: { readonly task: Task; readonly shown: number | null }) {
  const { id, attempt, retriedAt } = task;
  const read = useQuery({ ...attemptsOfTaskQuery(id), enabled: retriedAt !== undefined });
  const before = isBeforeRetry(task) ? attempt : (runsOf(task, read.data?.attempts ?? []).earlier.at(-1)?.attempt ?? 0);
  if (attempt === 0) return null;
  if (shown !== null && shown > attempt)
    return (
      <Card title="Log">
        <p className="text-muted">
          There is no attempt {shown}: the task has had {counted(attempt, "attempt")}.{" "}
          <AttemptLink id={id} attempt={attempt} />
        </p>
      </Card>
    );
  if (shown !== null) return <LogView key={`${shown} ${retriedAt}`} task={id} attempt={shown} before={before} />;
  return (
    <Card title="Log">
      <p className="text-muted">
        It has not started again since the retry. <AttemptLink id={id} attempt={attempt} /> is from before the retry.
      </p>
    </Card>
  );
}

function AttemptLink({ id, attempt }: Pick<Task, "id" | "attempt">) {
  return (
    <Link to="/tasks/$id" params={{ id }} search={{ attempt }} className="text-accent underline decoration-accent/40">
      The log of attempt {attempt}
    </Link>
  );
}
