/** Cancels, retries or submits again many tasks at a time, after it has said how many. */
import { useState } from "react";
import { ApiError, get, post, segment } from "../../api/client.ts";
import type { Task, TaskPage } from "../../api/schema.ts";
import { Button, Dialog } from "../../parts/controls.tsx";
import { finalStates, StateIcon, taskStates } from "../../parts/states.tsx";
import { Meter, Note } from "../../parts/surfaces.tsx";
import { isRetriable, retryTask } from "../task/retryDialog.tsx";
import { submissionOf } from "./again.ts";
import type { TaskFilters } from "./filters.ts";

/** Calls that are under way at a time. */
const callsAtATime = 8;
/** All that match are read up to this many. */
export const matchesMax = 10_000;

export type BulkVerb = "cancel" | "retry" | "again";

const words = {
  cancel: {
    title: "Cancel tasks",
    button: "Cancel",
    done: "cancelled",
    left: "have already ended and stay as they are",
  },
  retry: {
    title: "Retry tasks",
    button: "Retry",
    done: "retried",
    left: "did not fail: left alone",
  },
  again: {
    title: "Run tasks again",
    button: "Run again",
    done: "submitted again",
    left: "have not ended yet and are left alone",
  },
} as const;

/** Every task that a filter finds, up to `matchesMax`. */
export async function readMatches(filters: TaskFilters): Promise<readonly Task[]> {
  const found: Task[] = [];
  let cursor: string | null = null;
  do {
    const page: TaskPage = await get<TaskPage>("/v1/tasks", { ...filters, cursor, limit: 1000 });
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

export function BulkDialog({ verb, tasks, onClose }: BulkProps) {
  const [progress, setProgress] = useState<Progress | null>(null);
  const { title, button, done, left } = words[verb];
  const able = tasks.filter((task) => isAble(task, verb));
  const rest = tasks.length - able.length;
  const isOver = progress !== null && progress.done + progress.problems.length >= able.length;
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="grid gap-4">
        <p className="text-base">
          <strong>{count(able.length)}</strong> will be {done}.{rest > 0 ? ` ${count(rest)} ${left}.` : ""}
        </p>
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
        {progress === null ? null : (
          <div className="grid gap-2" aria-live="polite">
            <Meter share={(progress.done + progress.problems.length) / Math.max(1, able.length)} label="Progress" />
            <p>
              {progress.done} of {able.length} {done}
            </p>
            {progress.problems.length === 0 ? null : (
              <Note tone="bad">
                {progress.problems.length} refused. {progress.problems[0]}
              </Note>
            )}
          </div>
        )}
        <div className="flex justify-end gap-2">
          {isOver ? null : (
            <Button
              look={verb === "cancel" ? "danger" : "primary"}
              disabled={able.length === 0 || progress !== null}
              onClick={() => {
                setProgress({ done: 0, problems: [] });
                void runAll(able, verb, setProgress);
              }}
            >
              {button} {count(able.length)}
            </Button>
          )}
          <Button onClick={onClose}>{isOver ? "Close" : "Leave it"}</Button>
        </div>
      </div>
    </Dialog>
  );
}

function isAble(task: Task, verb: BulkVerb): boolean {
  if (verb === "retry") return isRetriable(task);
  return finalStates.has(task.state) === (verb === "again");
}

async function runAll(tasks: readonly Task[], verb: BulkVerb, tell: (progress: Progress) => void): Promise<void> {
  const queue = [...tasks];
  let done = 0;
  const problems: string[] = [];
  const work = async () => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
      try {
        if (verb === "cancel") await post(`/v1/tasks/${segment(task.id)}/cancel`);
        else if (verb === "retry") await retryTask(task);
        else await post("/v1/tasks", submissionOf(task));
        done += 1;
      } catch (error) {
        problems.push(error instanceof ApiError ? error.message : "The master cannot be reached.");
      }
      tell({ done, problems: [...problems] });
    }
  };
  await Promise.all(Array.from({ length: callsAtATime }, work));
}

function count(number: number): string {
  return `${new Intl.NumberFormat().format(number)} ${number === 1 ? "task" : "tasks"}`;
}
