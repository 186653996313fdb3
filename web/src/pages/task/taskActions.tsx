/** What can be done with a task: cancel it, retry it, run it again, or run it again with changes. */
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { post, segment } from "../../api/client.ts";
import { useMay, useMayControl } from "../../api/rights.ts";
import type { Submitted, Task } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button, Dialog, Labelled } from "../../parts/controls.tsx";
import { finalStates } from "../../parts/states.tsx";
import { Note, Problem } from "../../parts/surfaces.tsx";
import { jobKind } from "../mapReduce/job.ts";
import { canRunAgain, submissionOf } from "../tasks/again.ts";
import { RetryButton } from "./retryDialog.tsx";

export function TaskActions({ task }: { readonly task: Task }) {
  const [dialog, setDialog] = useState<"cancel" | "again" | null>(null);
  const mayControl = useMayControl()(task);
  const maySubmit = useMay("submit");
  const close = () => setDialog(null);
  return (
    <>
      {finalStates.has(task.state) || !mayControl ? null : (
        <Button look="danger" onClick={() => setDialog("cancel")}>
          Cancel …
        </Button>
      )}
      <RetryButton task={task} />
      {maySubmit && canRunAgain(task) ? <Button onClick={() => setDialog("again")}>Run again …</Button> : null}
      {task.kind === "graph" ? (
        <Link to="/tasks/$id/graph" params={{ id: task.id }} className="px-1 text-accent hover:underline">
          Graph
        </Link>
      ) : null}
      {task.kind === jobKind ? (
        <Link to="/tasks/$id/map-reduce" params={{ id: task.id }} className="px-1 text-accent hover:underline">
          Maps and reduces
        </Link>
      ) : null}
      {task.attempt === 0 && task.childCounts === undefined ? null : (
        <Link to="/tasks/$id/timeline" params={{ id: task.id }} className="px-1 text-accent hover:underline">
          Timeline
        </Link>
      )}
      <a
        href={`/v1/tasks/${segment(task.id)}`}
        target="_blank"
        rel="noreferrer"
        className="px-1 text-accent hover:underline"
      >
        JSON
      </a>
      {dialog === "cancel" ? <CancelDialog task={task} onClose={close} /> : null}
      {dialog === "again" ? <AgainDialog task={task} onClose={close} /> : null}
    </>
  );
}

function CancelDialog({ task, onClose }: { readonly task: Task; readonly onClose: () => void }) {
  const cancel = useMutation({
    mutationFn: () => post(`/v1/tasks/${segment(task.id)}/cancel`),
    onSuccess: () => {
      void queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <Dialog title="Cancel this task" onClose={onClose}>
      <div className="grid grid-cols-1 gap-4">
        <p>
          <strong className="break-words">{task.name}</strong> will be cancelled.
          {task.state === "running" ? ` Its running attempt on ${task.host ?? "its worker"} is ended.` : ""}
        </p>
        {cancel.error === null ? null : <Problem error={cancel.error} />}
        <div className="flex justify-end gap-2">
          <Button look="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel the task
          </Button>
          <Button onClick={onClose}>Leave it</Button>
        </div>
      </div>
    </Dialog>
  );
}

/** Parses what was typed; null where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function AgainDialog({ task, onClose }: { readonly task: Task; readonly onClose: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(submissionOf(task), null, 2));
  const navigate = useNavigate();
  const submission = parsed(text);
  const submit = useMutation({
    mutationFn: () => post<Submitted>("/v1/tasks", submission),
    onSuccess: ({ id }) => {
      onClose();
      void navigate({ to: "/tasks/$id", params: { id } });
    },
  });
  return (
    <Dialog title="Run again" onClose={onClose} isWide>
      <form
        className="grid grid-cols-1 gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit.mutate();
        }}
      >
        <Labelled label="A new task with this content" hint="Change what should be different.">
          {(id) => (
            <textarea
              id={id}
              spellCheck={false}
              rows={16}
              value={text}
              onChange={(event) => setText(event.target.value)}
              className="w-full rounded-md border border-line-strong/70 bg-bg p-3 font-mono text-xs"
            />
          )}
        </Labelled>
        {submission === undefined ? <Note tone="warn">This is not valid JSON.</Note> : null}
        {submit.error === null ? null : <Problem error={submit.error} />}
        <div className="flex justify-end gap-2">
          <Button type="submit" look="primary" disabled={submission === undefined || submit.isPending}>
            Submit
          </Button>
          <Button onClick={onClose}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
