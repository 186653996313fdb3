/** Jobs over inputs that grow in a way of their own. What comes out of each can be told without running it. */
import { lines, mapReduce, tsv } from "outlast/mapreduce";

const given = { input: lines("given"), output: tsv("given") };

/** Every line a key that no other line has. */
export const distinctKeys = mapReduce({
  name: "distinct-keys",
  ...given,
  map: (line: string, emit: (key: string, count: number) => void) => emit(line, 1),
  combine: "sum",
});

/** All values under one key, and nothing combined on the way. */
export const giantKey = mapReduce({
  name: "giant-key",
  ...given,
  map: (line: string, emit: (key: string, value: number) => void) => emit("all", line.length),
  reduce(_key, values: Iterable<number>) {
    let sum = 0;
    for (const value of values) sum += value;
    return sum;
  },
});

/** The first characters of each line, and how long it is. */
export const longLines = mapReduce({
  name: "long-lines",
  ...given,
  map: (line: string, emit: (key: string, value: number) => void) => emit(line.slice(0, 8), line.length),
  combine: "sum",
});
