/** An inverted index: for each word the lines that it stands in, as `file:byte`. There is no combiner; values are grouped all the same. */
import { basename } from "node:path";
import { jsonl, lines, mapReduce } from "outlast/mapreduce";

export const invertedIndex = mapReduce({
  name: "inverted-index",
  input: lines("data"),
  reduces: 4,
  map(line: string, emit: (word: string, place: string) => void, ctx) {
    const place = `${basename(ctx.path)}:${ctx.offset}`;
    for (const word of new Set(line.toLowerCase().match(/[\p{L}\p{N}']+/gu))) emit(word, place);
  },
  // The order of values is not given: maps end in any order.
  reduce: (_word, places: Iterable<string>) => [...places].sort(),
  output: jsonl("out/index"),
});
