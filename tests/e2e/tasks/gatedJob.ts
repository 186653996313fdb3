/** A word count whose maps and reduces can be held at gates, and which writes down what it runs. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { lines, type MapContext, mapReduce, type ReduceContext, tsv } from "../../../src/mapreduce/index.ts";

export interface GatedParams {
  readonly ledger: string;
  /** A map that comes to a line with `@map`, and the reduce of the key `@reduce`, wait until this file exists. */
  readonly mapGate: string;
  readonly reduceGate: string;
}

const lookMs = 20;

function pass(gate: string, what: string, { ledger }: GatedParams): void {
  appendFileSync(ledger, `${what}\n`);
  while (!existsSync(gate)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookMs);
}

const gatedOptions = {
  input: lines("unused"),
  map(line: string, emit: (word: string, count: number) => void, ctx: MapContext) {
    const params = ctx.params as GatedParams;
    if (line.includes("@map")) pass(params.mapGate, "map", params);
    for (const word of line.split(" ")) emit(word, 1);
  },
  combine: "sum" as const,
  reduce(key: string, values: Iterable<number>, ctx: ReduceContext) {
    const params = ctx.params as GatedParams;
    if (key === "@reduce") pass(params.reduceGate, "reduce", params);
    return [...values][0];
  },
  // The key that waits is alone in the first partition.
  partition: (key: string, reduces: number) => (key === "@reduce" ? 0 : 1 + (key.length % (reduces - 1))),
  output: tsv("unused"),
};

/** A second run of what waits at a gate would wait there as well. */
export const gated = mapReduce({ name: "gated", backups: false, ...gatedOptions });

export const gatedWithBackups = mapReduce({ name: "gatedWithBackups", ...gatedOptions });

/** Does not survive its lines: throws, loops for ever, or ends its process. */
export const bad = mapReduce({
  name: "bad",
  input: lines("unused"),
  recordTimeoutMs: 500,
  map(line: string, emit: (word: string, count: number) => void) {
    if (line === "throw") throw new Error("a bad line");
    if (line === "loop") for (;;);
    if (line === "exit") process.exit(3);
    emit(line, 1);
  },
  combine: "count",
  output: tsv("unused"),
});

/** The same, where a record may be left out. */
export const tolerant = mapReduce({
  name: "tolerant",
  input: lines("unused"),
  recordTimeoutMs: 500,
  maxSkipped: 1,
  map(line: string, emit: (word: string, count: number) => void) {
    if (line === "throw") throw new Error("a bad line");
    if (line === "loop") for (;;);
    if (line === "exit") process.exit(3);
    emit(line, 1);
  },
  combine: "count",
  output: tsv("unused"),
});

/** Fails at the line `@broken` as long as its gate is not there. */
export const mended = mapReduce({
  name: "mended",
  input: lines("unused"),
  map(line: string, emit: (word: string, count: number) => void, ctx: MapContext) {
    const { mapGate } = ctx.params as GatedParams;
    if (line === "@broken" && !existsSync(mapGate)) throw new Error("what it needs is not there");
    emit(line, 1);
  },
  combine: "count",
  output: tsv("unused"),
});

/** Whoever comes to the line or the key first waits for its gate; whoever comes next goes on. */
function holdFirst(gate: string, what: string, { ledger }: GatedParams): void {
  const isFirst = !existsSync(ledger) || !readFileSync(ledger, "utf8").includes(`${what}\n`);
  if (isFirst) pass(gate, what, { ledger } as GatedParams);
  else appendFileSync(ledger, `${what} again\n`);
}

/** A job whose first map of the line `@map`, and first reduce of the key `@reduce`, take for ever. */
export const slow = mapReduce({
  name: "slow",
  input: lines("unused"),
  map(line: string, emit: (word: string, count: number) => void, ctx) {
    const params = ctx.params as GatedParams;
    if (line.includes("@map")) holdFirst(params.mapGate, "map", params);
    for (const word of line.split(" ")) emit(word, 1);
  },
  combine: "sum",
  reduce(key, values: Iterable<number>, ctx) {
    const params = ctx.params as GatedParams;
    if (key === "@reduce") holdFirst(params.reduceGate, "reduce", params);
    return [...values][0];
  },
  output: tsv("unused"),
});
