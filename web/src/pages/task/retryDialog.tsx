/** Opens a task again that has failed or was cancelled, with what has failed below it. */
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { post, segment, urlOf } from "../../api/client.ts";
import type { Retried, Task, TaskState } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { DialogForm } from "../../parts/dialogForm.tsx";

export const retriable: ReadonlySet<TaskState> = new Set(["failed", "cancelled"]);

export function isRetriable({ state }: Task): boolean {
  return retriable.has(state);
}

/** A repeated request is done once, since it names the attempt after which it is meant. */
export function retryTask({ id, attempt }: Task, isFromScratch = false): Promise<Retried> {
  const query = { attempt, ...(isFromScratch && { fromScratch: true }) };
  return post<Retried>(urlOf(`/v1/tasks/${segment(id)}/retry`, query));
}

export function RetryDialog({ task, onClose }: { readonly task: Task; readonly onClose: () => void }) {
  const [isFromScratch, setFromScratch] = useState(false);
  const retry = useMutation({
    mutationFn: () => retryTask(task, isFromScratch),
    onSuccess: () => {
      void queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <DialogForm title="Retry this task" verb="Retry the task" mutation={retry} onClose={onClose}>
      <p>
        <strong className="break-words">{task.name}</strong> runs again, with what has failed below it. What has
        succeeded stays, and so do its remembered steps.
      </p>
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          className="size-3.5 accent-accent-fill"
          checked={isFromScratch}
          onChange={(event) => setFromScratch(event.target.checked)}
        />
        From scratch: forget its remembered steps and its children
      </label>
    </DialogForm>
  );
}
