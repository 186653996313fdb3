/** I29: the files of a job stay until nothing needs them any more, and are gone when the job has succeeded, or has failed by itself. */
import { checker } from "./checker.ts";
import { jobs } from "./jobReading.ts";
import { eventsOf, stepsByTask } from "./reading.ts";

export const jobFiles = checker(
  "I29",
  "files of jobs stay while they are needed, and not longer",
  (history, report) => {
    const removals = eventsOf(history, "job-files-removed");
    for (const { job: id, order } of removals) {
      const decided = jobs(history).get(id)?.decidedOrder ?? null;
      if (decided === null || decided > order)
        report(`the files of job ${id} were removed before its outcome was remembered`, id);
    }
    for (const { id } of jobs(history).values()) {
      const left = new Set<string>();
      for (const event of history.events) {
        if (event.kind === "job-file" && event.job === id) left.add(event.file);
        if (event.kind === "job-files-removed" && event.job === id) left.clear();
      }
      // A submit that comes again once the job is forgotten makes it anew, and that one may be cancelled.
      const last = stepsByTask(history).get(id)?.at(-1)?.status;
      const hasFailed = last?.state === "failed" && last.error?.code === "non-retryable";
      if ((last?.state === "success" || hasFailed) && left.size > 0)
        report(`job ${id} is over, and ${[...left].join(", ")} of it are left`, id);
    }
  },
);
