/** Distributed grep: `outlast map-reduce grep.ts -c logs --params '{ "pattern": "timeout|refused" }'`. */
import { lines, mapReduce, tsv } from "outlast/mapreduce";

let pattern: RegExp | null = null;

export const grep = mapReduce({
  name: "grep",
  input: lines("logs"),
  params: { pattern: "error" },
  map(line: string, emit: (place: string, line: string) => void, ctx) {
    pattern ??= new RegExp((ctx.params as { pattern: string }).pattern);
    // Padded, so that the order of the text is the order of the places.
    if (pattern.test(line)) emit(`${ctx.path}:${String(ctx.offset).padStart(12, "0")}`, line);
  },
  output: tsv("out/grep"),
});
