/** What the journal says of MapReduce jobs: their maps and reduces, and which files were committed when. */
import type { TaskId } from "../../model/ids.ts";
import { type MapReduceInput, mapKindName, reduceKindName } from "../../model/kinds/mapReduce.ts";
import { jobOf } from "./jobs.ts";
import type { History } from "./ledger.ts";
import { once, specs, stepsByTask } from "./reading.ts";

/** A file that an attempt of a map or reduce has left, once its success is in the journal. */
export interface CommittedFile {
  readonly job: TaskId;
  readonly name: string;
  /** The number of the map, or of the partition. */
  readonly number: number;
  readonly kind: "map" | "part";
  /** When its success went in, in the order of all events. */
  readonly order: number;
}

export interface Job {
  readonly id: TaskId;
  readonly input: MapReduceInput;
  /** By name. */
  readonly files: Map<string, CommittedFile>;
  /** When it succeeded; null if it did not. */
  succeededOrder: number | null;
  /** When all was remembered that its files are needed for, or it had ended otherwise. */
  decidedOrder: number | null;
}

export const jobs = once((history): ReadonlyMap<TaskId, Job> => {
  const found = new Map<TaskId, Job>();
  for (const [id, { spec }] of specs(history)) {
    const input = jobOf(spec);
    if (input !== null) found.set(id, { id, input, files: new Map(), succeededOrder: null, decidedOrder: null });
  }
  if (found.size === 0) return found;
  noteSteps(history, found);
  for (const [id, { spec }] of specs(history)) {
    const job = found.get(spec.parent ?? id);
    for (const { status, entry } of job === undefined ? [] : (stepsByTask(history).get(id) ?? [])) {
      if (job === undefined) continue;
      const isEnd = ["success", "failed", "cancelled"].includes(status.state);
      if (id === job.id && isEnd) {
        if (status.state === "success") job.succeededOrder ??= entry.order;
        job.decidedOrder ??= entry.order;
      } else if (id !== job.id && status.state === "success") noteFile(job, spec.kind, status.output, entry.order);
    }
  }
  return found;
});

function noteSteps({ entries }: History, found: ReadonlyMap<TaskId, Job>): void {
  for (const { writes, order } of entries) {
    for (const write of writes) {
      if (write.kind !== "record" || write.collection !== "steps" || write.value === null) continue;
      const at = write.id.indexOf("/");
      const job = found.get(write.id.slice(0, at) as TaskId);
      const key = write.id.slice(at + 1).replace(/^\d+\./, "");
      if (job !== undefined && (key === "commit" || key === "failed")) job.decidedOrder ??= order;
    }
  }
}

interface MapOutput {
  readonly map: number;
  readonly name: string;
}

interface ReduceOutput {
  readonly part?: { readonly partition: number; readonly name: string };
}

function noteFile(job: Job, kind: string, output: unknown, order: number): void {
  // A success that has lost its result is another checker's find.
  if (output === undefined) return;
  if (kind === mapKindName) {
    const { map, name } = output as MapOutput;
    job.files.set(name, { job: job.id, name, number: map, kind: "map", order });
  }
  const part = kind === reduceKindName ? (output as ReduceOutput).part : undefined;
  if (part !== undefined)
    job.files.set(part.name, { job: job.id, name: part.name, number: part.partition, kind: "part", order });
}
