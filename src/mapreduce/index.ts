/** What `import … from "outlast/mapreduce"` gives: jobs of maps and reduces. */

export { checkCombiner } from "./checkCombiner.ts";
export type { EmitBytes, MapContext } from "./engine/mapRun.ts";
export type { ReduceContext } from "./engine/reduceRun.ts";
export {
  type Chunks,
  type ChunksJob,
  type CombineOption,
  chunks,
  type JobOutput,
  jsonl,
  type Lines,
  type LinesJob,
  lines,
  type MapReduceJob,
  mapReduce,
  topK,
  tsv,
} from "./job.ts";
export { type JobOverrides, type SubmittedJob, submitMapReduce } from "./submit.ts";
