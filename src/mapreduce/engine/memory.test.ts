/** The tables of maps and reduces stay within twice their bound, whatever the input is: as an array grows, it is twice as large for a while. */
import { expect, test } from "vitest";
import { type Combine, columnFor } from "./combiners.ts";
import { KeyTable } from "./keyTable.ts";
import { extentsOf } from "./mapFile.ts";
import { ReduceTable } from "./reduceTable.ts";
import type { Scratch } from "./scratch.ts";
import { blocksOf } from "./segment.ts";
import { ShuffleWriter } from "./shuffleWriter.ts";

/** For one after the other, as in the thread of a job. */
const keptTable = new KeyTable();

const memoryBytes = 1 << 20;
/** A reduce looks at its table after each block. */
const blockBytes = 320 * 1024;

function scratch(): Scratch {
  const pieces: Buffer[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(bytes) {
      pieces.push(Buffer.from(bytes));
      length += bytes.length;
    },
    read(offset, count) {
      const found: Buffer[] = [];
      let at = 0;
      for (const piece of pieces) {
        const from = Math.max(offset - at, 0);
        const until = Math.min(offset + count - at, piece.length);
        if (from < until) found.push(piece.subarray(from, until));
        at += piece.length;
      }
      return Buffer.concat(found);
    },
  };
}

async function shuffled(pairs: Iterable<readonly [string, unknown]>, combine: Combine | null) {
  const pieces: Buffer[] = [];
  const writer = new ShuffleWriter({
    table: keptTable,
    ...{ partitions: 1, partition: null, column: columnFor(combine), memoryBytes, codec: "none" },
    sink: (piece) => void pieces.push(Buffer.from(piece)),
    aside: (work) => work(),
  });
  for (const [key, value] of pairs) writer.emitText(key, value);
  const map = writer.end();
  const file = Buffer.concat(pieces);
  const read = (offset: number, length: number) => file.subarray(offset, offset + length);
  const table = new ReduceTable({
    table: keptTable,
    column: columnFor(combine),
    memoryBytes,
    openScratch: scratch,
  });
  for (const extent of await extentsOf(file.length, 0, 1, read))
    for await (const block of blocksOf(extent, read)) table.fold(block);
  let keys = 0;
  let values = 0;
  for (const group of table.groups()) {
    keys += 1;
    for (const _ of group.values) values += 1;
  }
  return { keys, values, runs: [map.runs, table.runs], peaks: [map.peakBytes, table.peakBytes] };
}

function* pairsOf(count: number, pair: (index: number) => readonly [string, unknown]) {
  for (let index = 0; index < count; index += 1) yield pair(index);
}

const long = "x".repeat(50_000);

test.each<
  [string, number, (index: number) => readonly [string, unknown], Combine | null, { keys: number; values: number }]
>([
  ["many keys with one number each", 150_000, (index) => [`${index}`, 1], "sum", { keys: 150_000, values: 150_000 }],
  ["many keys with one value each", 60_000, (index) => [`${index}`, index], null, { keys: 60_000, values: 60_000 }],
  ["one key with very many values", 200_000, (index) => ["key", index], null, { keys: 1, values: 200_000 }],
  ["long keys", 100, (index) => [`${long}${index}`, 1], "sum", { keys: 100, values: 100 }],
  ["long values of few keys", 200, (index) => [`${index % 7}`, long], null, { keys: 7, values: 200 }],
  [
    "long texts of many keys, one of which is kept",
    400,
    (index) => [`${index % 200}`, long],
    (one: unknown) => one,
    { keys: 200, values: 200 },
  ],
  [
    "objects of many keys, one of which is kept",
    2_000,
    (index) => [`${index}`, { index, tags: Array.from({ length: 100 }, (_, tag) => tag) }],
    (one: unknown) => one,
    { keys: 2_000, values: 2_000 },
  ],
  [
    "few keys whose values grow",
    400,
    (index) => [`${index % 4}`, long],
    (one: string, other: string) => (one.length > 500_000 ? one : one + other),
    { keys: 4, values: 4 },
  ],
])("%s", async (_, count, pair, combine, expected) => {
  const { peaks, runs, ...found } = await shuffled(pairsOf(count, pair), combine);
  expect(found).toEqual(expected);
  for (const each of runs) expect(each).toBeGreaterThan(1);
  // None of them writes a run for each few keys.
  for (const each of runs) expect(each).toBeLessThan(40);
  expect(peaks[0]).toBeLessThan(2 * memoryBytes + long.length);
  expect(peaks[1]).toBeLessThan(2 * memoryBytes + blockBytes);
});
