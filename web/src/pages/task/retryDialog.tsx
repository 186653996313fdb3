/** Opens a task again that has failed or was cancelled, with what has failed below it; a node's graph instead of the node. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { post, segment, urlOf } from "../../api/client.ts";
import { useMayControl } from "../../api/rights.ts";
import type { Retried, Task, TaskState } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button, Dialog } from "../../parts/controls.tsx";
import { DialogForm } from "../../parts/dialogForm.tsx";
import { taskStates } from "../../parts/states.tsx";
import { type Around, alone, aroundBelow, wholeName } from "./wholes.ts";

export const retriable: ReadonlySet<TaskState> = new Set(["failed", "cancelled"]);

export function isRetriable({ state }: Task): boolean {
  return retriable.has(state);
}

/** A repeated request is done once, since it names the attempt after which it is meant. */
export function retryTask({ id, attempt }: Task, isFromScratch = false): Promise<Retried> {
  const query = { attempt, ...(isFromScratch && { fromScratch: true }) };
  return post<Retried>(urlOf(`/v1/tasks/${segment(id)}/retry`, query));
}

/** Nothing for a task that cannot be retried, or not by whoever is signed in. */
export function RetryButton({ task }: { readonly task: Task }) {
  const [isOpen, setOpen] = useState(false);
  const mayControl = useMayControl()(task);
  const { parent = "" } = task;
  const isAsked = parent !== "" && isRetriable(task);
  const read = useQuery({ queryKey: ["around", parent], queryFn: () => aroundBelow(parent), enabled: isAsked });
  const around = isAsked ? read.data : alone;
  if (!isRetriable(task) || !mayControl || around === undefined) return null;
  if (around.kind === "whole" && !isRetriable(around.task)) return null;
  const close = () => setOpen(false);
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        {around.kind === "alone" ? "Retry …" : `Retry the ${wholeName(around.task)} …`}
      </Button>
      {isOpen ? <DialogFor task={task} around={around} onClose={close} /> : null}
    </>
  );
}

interface DialogForProps {
  readonly task: Task;
  readonly around: Around;
  readonly onClose: () => void;
}

function DialogFor({ task, around, onClose }: DialogForProps) {
  if (around.kind === "alone") return <RetryDialog task={task} onClose={onClose} />;
  if (around.kind === "whole") return <RetryDialog task={around.task} part={task} onClose={onClose} />;
  const name = wholeName(around.task);
  return (
    <Dialog title={`Retry the ${name}`} onClose={onClose}>
      <div className="grid grid-cols-1 gap-4">
        <p>
          <strong className="break-words">{task.name}</strong> belongs to the {name}{" "}
          <Link to="/tasks/$id" params={{ id: around.task.id }} className="text-accent underline">
            {around.task.name}
          </Link>
          , which is retried as a whole. It has not ended yet; once it has, it can be retried.
        </p>
        <div className="flex justify-end">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}

interface RetryDialogProps {
  readonly task: Task;
  /** What somebody wanted to retry, where it is only retried with all of `task`. */
  readonly part?: Task;
  readonly onClose: () => void;
}

function RetryDialog({ task, part, onClose }: RetryDialogProps) {
  const [isFromScratch, setFromScratch] = useState(false);
  const retry = useMutation({
    mutationFn: () => retryTask(task, isFromScratch),
    onSuccess: () => {
      void queries.invalidateQueries();
      onClose();
    },
  });
  const whole = wholeName(task);
  return (
    <DialogForm
      title={`Retry ${whole === null ? "this task" : `the ${whole} ${task.name}`}`}
      verb={`Retry the ${whole ?? "task"}`}
      mutation={retry}
      onClose={onClose}
    >
      {part === undefined ? null : (
        <p>
          <strong className="break-words">{part.name}</strong> belongs to the {whole}{" "}
          <strong className="break-words">{task.name}</strong>, which is retried as a whole.
        </p>
      )}
      <WhatRunsAgain task={task} />
      {whole === "job" ? null : (
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            className="size-3.5 accent-accent-fill"
            checked={isFromScratch}
            onChange={(event) => setFromScratch(event.target.checked)}
          />
          {whole === null
            ? "From scratch: forget its remembered steps and its children"
            : "From scratch: what has succeeded runs again, too"}
        </label>
      )}
    </DialogForm>
  );
}

function WhatRunsAgain({ task }: { readonly task: Task }) {
  const whole = wholeName(task);
  if (whole === "job") return <p>The job begins from scratch: all its maps and reduces run again.</p>;
  if (whole === null)
    return (
      <p>
        <strong className="break-words">{task.name}</strong> runs again, with what has failed below it. What has
        succeeded stays, and so do its remembered steps.
      </p>
    );
  const counts: { readonly [State in TaskState]?: number } = task.childCounts ?? {};
  const again = taskStates.filter((state) => state !== "success" && (counts[state] ?? 0) > 0);
  const { success = 0 } = counts;
  const part = whole === "graph" ? "node" : "task";
  const isOne = again.reduce((sum, state) => sum + (counts[state] ?? 0), 0) === 1;
  return (
    <p>
      {again.length === 0
        ? "What did not succeed of it runs again."
        : `${again.map((state) => `${counts[state]} ${state}`).join(" and ")} ${isOne ? `${part} runs` : `${part}s run`} again.`}{" "}
      What has succeeded{success > 0 ? ` (${success})` : ""} stays.
    </p>
  );
}
