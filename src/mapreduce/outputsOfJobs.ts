/** `job:ID` as input of a job: the output of another one, which may still run. */
import { OutlastError } from "../model/errors.ts";
import { type MapReduceInput, mapReduceKindName } from "../model/kinds/mapReduce.ts";
import { isFinal } from "../model/task.ts";
import type { Outlast } from "../sdk/client.ts";

export const jobPrefix = "job:";

/**
 * Puts the output folders of jobs in their places.
 * @returns besides the paths, the jobs that have not ended
 * @throws OutlastError `not-found` if there is no such task, `invalid` if it is no job or has not succeeded
 */
export async function withOutputsOfJobs(
  client: Outlast,
  paths: readonly string[],
): Promise<{ readonly paths: readonly string[]; readonly unfinished: readonly string[] }> {
  const unfinished = new Set<string>();
  const placed: string[] = [];
  for (const path of paths) {
    if (!path.startsWith(jobPrefix)) {
      placed.push(path);
      continue;
    }
    const id = path.slice(jobPrefix.length);
    const { kind, state, input } = await client.get(id);
    if (kind !== mapReduceKindName) throw refused(`Task ${id} is no MapReduce job, so it has no output to read.`);
    if (!isFinal(state)) unfinished.add(id);
    else if (state !== "success") throw refused(`Job ${id} was ${state}, so it has no output to read.`);
    placed.push((input as unknown as MapReduceInput).output.folder);
  }
  return { paths: placed, unfinished: [...unfinished] };
}

function refused(message: string): OutlastError {
  return new OutlastError("invalid", message, { path: "/input/input/paths" });
}
