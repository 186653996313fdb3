/** Word count. Run it with `outlast map-reduce examples/map-reduce/wordcount.ts -c 250mb -m 100 -r 20`. */
import { lines, mapReduce, tsv } from "outlast/mapreduce";

export const wordcount = mapReduce({
  name: "wordcount",
  input: lines("data/*.txt"),
  maps: 100,
  reduces: 20,
  map(line: string, emit: (word: string, count: number) => void) {
    for (const word of line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []) emit(word, 1);
  },
  combine: "sum", // also the reduce, as there is none
  output: tsv("out/wordcount"),
});
