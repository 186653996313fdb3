/** One task: how it stands and why, what it wrote, what went in and what came out. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { taskQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { JsonTree } from "../../parts/jsonTree.tsx";
import { useSiblings } from "../../parts/siblings.ts";
import { StateBadge } from "../../parts/states.tsx";
import { Card, CopyButton, Loading, Meter, Note, PageHeader } from "../../parts/surfaces.tsx";
import { BelowTasks } from "../../parts/taskPath.tsx";
import { TaskProblem } from "../../parts/taskProblem.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { AttemptsCard } from "./attemptsCard.tsx";
import { ChildrenCard, StepsCard } from "./familyCards.tsx";
import { FilesCard } from "./filesCard.tsx";
import { isBeforeRetry } from "./runs.ts";
import { TaskActions } from "./taskActions.tsx";
import { TaskFacts } from "./taskFacts.tsx";
import { TaskLog, useShownAttempt } from "./taskLog.tsx";
import { WaitingNote } from "./waitingNote.tsx";

const route = getRouteApi("/tasks/$id");

export function TaskPage() {
  const { id } = route.useParams();
  const { data: task, error } = useQuery(taskQuery(id));
  if (task === undefined) return error === null ? <Loading what="the task" /> : <TaskProblem error={error} />;
  return <TaskView key={task.id} task={task} />;
}

/** The router hands on what the address says, also where it is no number. */
function attemptOf({ attempt }: { readonly attempt?: unknown }): number | null {
  return typeof attempt === "number" && Number.isSafeInteger(attempt) && attempt > 0 ? attempt : null;
}

function TaskView({ task }: { readonly task: Task }) {
  const siblings = useSiblings(task);
  const shown = useShownAttempt(task, attemptOf(route.useSearch()));
  return (
    <>
      <BelowTasks>
        <span className="truncate font-mono text-xs">{task.id}</span>
        <CopyButton text={task.id} what="id" />
      </BelowTasks>
      <PageHeader title={titleOf(task, siblings)} note={<StateBadge state={task.state} />}>
        <TaskActions task={task} />
      </PageHeader>
      <div className="grid gap-4">
        <TaskProgress task={task} />
        <WaitingNote task={task} />
        <Failure task={task} />
        <Card>
          <TaskFacts task={task} />
        </Card>
        <TaskLog task={task} shown={shown} />
        <ChildrenCard task={task} />
        <div className={`grid gap-4 ${task.output === undefined ? "" : "xl:grid-cols-2"}`}>
          <Card title="Input" actions={<CopyButton text={JSON.stringify(task.input, null, 2)} what="input" />}>
            <JsonTree value={task.input} />
          </Card>
          {task.output === undefined ? null : (
            <Card title="Output" actions={<CopyButton text={JSON.stringify(task.output, null, 2)} what="output" />}>
              <JsonTree value={task.output} />
            </Card>
          )}
        </div>
        <FilesCard task={task} />
        <AttemptsCard task={task} shown={shown} />
        <StepsCard task={task} />
      </div>
    </>
  );
}

function TaskProgress({ task: { progress, state } }: { readonly task: Task }) {
  if (progress === undefined || state !== "running") return null;
  const { done, total, text } = progress;
  return (
    <Card>
      <div className="flex items-baseline gap-3">
        <span className="font-medium">
          {done}
          {total === undefined ? "" : ` of ${total}`}
        </span>
        <span className="text-muted">{text}</span>
      </div>
      {total === undefined || total <= 0 ? null : (
        <div className="mt-2">
          <Meter share={done / total} label="Progress" className="bg-running" />
        </div>
      )}
    </Card>
  );
}

function exitText(exit: Task["exit"]): string {
  if (exit === undefined) return "";
  return exit.signal === null ? `exit code ${exit.code ?? "unknown"}` : `ended by ${exit.signal}`;
}

/** What errors are called in the API, in words where it says anything to people. */
function codeText(code: string): string {
  if (code === "exit") return "";
  return code === "non-retryable" ? "It is not retried by itself." : code;
}

function Failure({ task }: { readonly task: Task }) {
  const { error, state, exit } = task;
  if (error === undefined || state === "success" || isBeforeRetry(task)) return null;
  return (
    <Note tone={state === "failed" ? "bad" : "warn"}>
      <p className="font-medium">{state === "failed" ? "It failed" : "The last attempt did not succeed"}</p>
      <p className="font-mono text-xs break-words whitespace-pre-wrap">{error.message}</p>
      <p className="text-xs text-muted">{[codeText(error.code), exitText(exit)].filter(Boolean).join(", ")}</p>
    </Note>
  );
}
