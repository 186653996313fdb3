/** The job of the MapReduce act: word count, as a user would write it. */
import { lines, mapReduce, tsv } from "../../mapreduce/job.ts";

export const wordCount = mapReduce({
  name: "word-count",
  input: lines("named by the act"),
  map(line: string, emit: (word: string, count: number) => void) {
    for (const word of line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) emit(word, 1);
  },
  combine: "sum",
  output: tsv("named by the act"),
});
