/** Words of texts, and as a job over its output how many words occur how often. */
import { lines, mapReduce, tsv } from "../../../src/mapreduce/index.ts";

const counting = {
  input: lines("unused"),
  map(line: string, emit: (word: string, count: number) => void) {
    for (const word of line.split(/\s+/)) if (word !== "") emit(word, 1);
  },
  combine: "sum" as const,
  output: tsv("unused"),
};

export const words = mapReduce({ name: "words", ...counting });

export const impatient = mapReduce({ name: "impatient", ...counting, recordTimeoutMs: 500 });

export const stuck = mapReduce({
  name: "stuck",
  ...counting,
  recordTimeoutMs: 500,
  partition(key: string) {
    while (key === "stop");
    return 0;
  },
});

export const frequencies = mapReduce({
  name: "frequencies",
  input: lines("job:unused"),
  map(line: string, emit: (count: string, words: number) => void) {
    const tasks = { count: line.split("\t")[1] ?? "" };
    // Nothing to fill in, although it looks like that.
    emit(`${tasks.count}`, 1);
  },
  combine: "sum",
  output: tsv("unused"),
});
