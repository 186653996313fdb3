/** Sorts lines by their bytes: keys are sampled, each reduce takes a range of them, and the parts in their order are the sorted whole. */
import { lines, mapReduce, tsv } from "outlast/mapreduce";

export const sort = mapReduce({
  name: "sort",
  input: lines("data/*.txt"),
  reduces: 8,
  partition: "range",
  map(line: string, emit: (line: string, nothing: string) => void) {
    emit(line, "");
  },
  output: tsv("out/sorted"),
});
