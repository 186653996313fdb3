/** Lets a paused queue give out tasks again, at once, from wherever it is told that they wait for that. */
import { useMutation } from "@tanstack/react-query";
import { post, segment } from "../../api/client.ts";
import { queries } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { Problem } from "../../parts/surfaces.tsx";

export function ResumeButton({ queue }: { readonly queue: string }) {
  const resume = useMutation({
    mutationFn: () => post(`/v1/queues/${segment(queue)}/resume`),
    onSuccess: () => queries.invalidateQueries(),
  });
  return (
    <>
      <Button disabled={resume.isPending} onClick={() => resume.mutate()}>
        Resume the queue {queue}
      </Button>
      {resume.error === null ? null : <Problem error={resume.error} />}
    </>
  );
}
