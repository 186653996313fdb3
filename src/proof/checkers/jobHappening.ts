/** What is seen of the files of a MapReduce job. */
import type { TaskId } from "../../model/ids.ts";

export type JobHappening =
  /** An execution has written a file whole, or opens one. */
  | { readonly kind: "job-file"; readonly job: TaskId; readonly file: string; readonly token: string }
  | { readonly kind: "job-file-read"; readonly job: TaskId; readonly file: string; readonly token: string }
  /** Somebody removes or damages a file. */
  | { readonly kind: "job-file-spoilt"; readonly job: TaskId; readonly file: string }
  /** The job removes all of its files. */
  | { readonly kind: "job-files-removed"; readonly job: TaskId }
  /** A name in an output folder is given to a file of a job, or taken away. */
  | {
      readonly kind: "job-output";
      readonly job: TaskId;
      readonly folder: string;
      readonly name: string;
      readonly file: { readonly name: string; readonly text: string } | null;
    };
