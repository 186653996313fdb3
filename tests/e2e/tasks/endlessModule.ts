/** A job whose module comes to its end where it is submitted, and never where it runs: in a thread of a worker. */
import { isMainThread } from "node:worker_threads";
import { lines, mapReduce, tsv } from "../../../src/mapreduce/index.ts";

while (!isMainThread);

export const endless = mapReduce({
  name: "endless",
  input: lines("unused"),
  map: (line: string, emit: (line: string, count: number) => void) => emit(line, 1),
  combine: "sum",
  output: tsv("unused"),
  recordTimeoutMs: 500,
});
