/** Cancels, retries or submits again many tasks at a time, after it has said how many. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Fragment, useState } from "react";
import { ApiError, get, post, segment } from "../../api/client.ts";
import type { Task, TaskPage } from "../../api/schema.ts";
import { Button, Dialog } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { finalStates, StateIcon, taskStates } from "../../parts/states.tsx";
import { Meter, Note, Problem } from "../../parts/surfaces.tsx";
import { useUntilGone } from "../../parts/untilGone.ts";
import { isRetriable, retryTask } from "../task/retryDialog.tsx";
import { wholeName } from "../task/wholes.ts";
import { canRunAgain, submissionOf } from "./again.ts";
import type { TaskFilters } from "./filters.ts";
import { callsAtATime, planRetries, type RetryPlan } from "./retryPlan.ts";

/** All that match are read up to this many. */
export const matchesMax = 10_000;

export type BulkVerb = "cancel" | "retry" | "again";

const words = {
  cancel: {
    title: "Cancel tasks",
    button: "Cancel",
    done: "cancelled",
    left: ["has already ended and stays as it is", "have already ended and stay as they are"],
  },
  retry: {
    title: "Retry tasks",
    button: "Retry",
    done: "retried",
    left: ["did not fail: left alone", "did not fail: left alone"],
  },
  again: {
    title: "Run tasks again",
    button: "Run again",
    done: "submitted again",
    left: [
      "has not ended yet, or is a part of something that runs again as a whole: left alone",
      "have not ended yet, or are parts of something that runs again as a whole: left alone",
    ],
  },
} as const;

/** Every task that a filter finds, up to `matchesMax`. */
export async function readMatches(filters: TaskFilters, signal?: AbortSignal): Promise<readonly Task[]> {
  const found: Task[] = [];
  let cursor: string | null = null;
  do {
    const page: TaskPage = await get<TaskPage>("/v1/tasks", { ...filters, cursor, limit: 1000 }, signal);
    found.push(...page.tasks);
    cursor = page.cursor ?? null;
  } while (cursor !== null && found.length < matchesMax);
  return found.slice(0, matchesMax);
}

interface BulkProps {
  readonly verb: BulkVerb;
  readonly tasks: readonly Task[];
  readonly onClose: () => void;
}

interface Progress {
  readonly done: number;
  readonly problems: readonly string[];
}

/** What is called for, once for each: of nodes, that is their graphs. Null while it is not known. */
function useTargets(
  verb: BulkVerb,
  able: readonly Task[],
): { readonly plan: RetryPlan | undefined; readonly error: Error | null } {
  const [chosen] = useState(able);
  const { data, error } = useQuery({
    queryKey: ["retry plan", chosen.map(({ id }) => id)],
    queryFn: () => planRetries(chosen),
    enabled: verb === "retry",
    meta: { of: [] },
    staleTime: "static",
    gcTime: 0,
  });
  return { plan: verb === "retry" ? data : { alone: able, wholes: [], parts: [], left: [] }, error };
}

export function BulkDialog({ verb, tasks, onClose }: BulkProps) {
  const [progress, setProgress] = useState<Progress | null>(null);
  // What has not begun when the dialog is left is not done any more.
  const stop = useUntilGone();
  const {
    title,
    button,
    done,
    left: [one, many],
  } = words[verb];
  const able = tasks.filter((task) => isAble(task, verb));
  const { plan, error } = useTargets(verb, able);
  const rest = tasks.length - able.length;
  const targets = plan === undefined ? [] : [...plan.alone, ...plan.wholes];
  const isOver = progress !== null && progress.done + progress.problems.length >= targets.length;
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="grid grid-cols-1 gap-4">
        {plan === undefined && error === null ? <p className="text-muted">Looking at what they belong to …</p> : null}
        {error === null ? null : <Problem error={error} />}
        {plan === undefined ? null : (
          <p className="text-base">
            <strong>{targetsText(plan)}</strong> will be {done}.
            {rest > 0 ? ` ${counted(rest, `task ${one}`, `tasks ${many}`)}.` : ""}
          </p>
        )}
        {plan === undefined || plan.parts.length + plan.left.length === 0 ? null : <Wholes plan={plan} />}
        <ul className="flex flex-wrap gap-x-4 gap-y-1 text-soft">
          {taskStates.map((state) => {
            const number = able.filter((task) => task.state === state).length;
            return number === 0 ? null : (
              <li key={state} className="flex items-center gap-1.5">
                <StateIcon state={state} /> {number} {state}
              </li>
            );
          })}
        </ul>
        {progress === null ? null : <BulkProgress progress={progress} total={targets.length} done={done} />}
        <div className="flex justify-end gap-2">
          {isOver ? null : (
            <Button
              look={verb === "cancel" ? "danger" : "primary"}
              disabled={targets.length === 0 || progress !== null}
              onClick={() => {
                setProgress({ done: 0, problems: [] });
                void runAll(targets, verb, setProgress, stop.current.signal);
              }}
            >
              {button} {plan === undefined ? "…" : targetsText(plan)}
            </Button>
          )}
          <Button onClick={onClose}>{isOver ? "Close" : progress === null ? "Leave it" : "Stop"}</Button>
        </div>
      </div>
    </Dialog>
  );
}

interface BulkProgressProps {
  readonly progress: Progress;
  readonly total: number;
  readonly done: string;
}

function BulkProgress({ progress: { done: number, problems }, total, done }: BulkProgressProps) {
  return (
    <div className="grid gap-2" aria-live="polite">
      <Meter share={(number + problems.length) / Math.max(1, total)} label="Progress" />
      <p>
        {number} of {total} {done}
      </p>
      {problems.length === 0 ? null : (
        <Note tone="bad">
          {problems.length} refused. {problems[0]}
        </Note>
      )}
    </div>
  );
}

/** So many graphs are named. */
const wholesShown = 5;

function Wholes({ plan: { parts, wholes, left } }: { readonly plan: RetryPlan }) {
  const more = wholes.length - wholesShown;
  return (
    <Note tone="info">
      {wholes.length === 0 ? null : (
        <p>
          {counted(parts.length, "task is a part", "tasks are parts")} of{" "}
          {wholes.slice(0, wholesShown).map(({ id, name }, index) => (
            <Fragment key={id}>
              {index === 0 ? "" : ", "}
              <Link to="/tasks/$id" params={{ id }} className="text-accent underline">
                {name}
              </Link>
            </Fragment>
          ))}
          {more > 0 ? ` and ${more} more` : ""}. Each is retried as a whole, once:{" "}
          {wholes.some((task) => wholeName(task) === "job") ? "a job begins from scratch; of the others, " : ""}what has
          succeeded stays, all else runs again.
        </p>
      )}
      {left.length === 0 ? null : (
        <p>
          {counted(left.length, "task belongs", "tasks belong")} to a graph that has not ended yet, or that did not
          fail: left alone.
        </p>
      )}
    </Note>
  );
}

/** `3 tasks and 1 graph`. */
function targetsText({ alone, wholes }: RetryPlan): string {
  if (wholes.length === 0) return counted(alone.length, "task");
  const names = new Set(wholes.map(wholeName));
  const [name] = names.size === 1 ? names : ["whole"];
  const whole = counted(wholes.length, name ?? "whole");
  return alone.length === 0 ? whole : `${counted(alone.length, "task")} and ${whole}`;
}

export function isAble(task: Task, verb: BulkVerb): boolean {
  if (verb === "retry") return isRetriable(task);
  if (verb === "again" && !canRunAgain(task)) return false;
  return finalStates.has(task.state) === (verb === "again");
}

async function runAll(
  tasks: readonly Task[],
  verb: BulkVerb,
  tell: (progress: Progress) => void,
  stop: AbortSignal,
): Promise<void> {
  const queue = [...tasks];
  let done = 0;
  const problems: string[] = [];
  const work = async () => {
    for (let task = queue.shift(); task !== undefined && !stop.aborted; task = queue.shift()) {
      try {
        if (verb === "cancel") await post(`/v1/tasks/${segment(task.id)}/cancel`);
        else if (verb === "retry") await retryTask(task);
        else await post("/v1/tasks", submissionOf(await withInput(task)));
        done += 1;
      } catch (error) {
        problems.push(error instanceof ApiError ? error.message : "The master cannot be reached.");
      }
      tell({ done, problems: [...problems] });
    }
  };
  await Promise.all(Array.from({ length: callsAtATime }, work));
}

/** Lists do not say what stands in the places of outputs. */
async function withInput(task: Task): Promise<Task> {
  return task.takesOutputs === true ? await get<Task>(`/v1/tasks/${segment(task.id)}`) : task;
}
