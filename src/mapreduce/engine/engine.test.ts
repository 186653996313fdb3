/** Map, shuffle and reduce together give what a plain program gives, however small the memory and however many partitions. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { divide } from "./byteRanges.ts";
import { type Combine, columnFor } from "./combiners.ts";
import { Cursor } from "./cursor.ts";
import { KeyTable } from "./keyTable.ts";
import { extentsOf } from "./mapFile.ts";
import { RecordFailed, runMap, type SkippedRecord, type UserMap } from "./mapRun.ts";
import { OutputWriter } from "./outputWriter.ts";
import { boundariesOf, byRange } from "./rangePartition.ts";
import { runReduce, type UserReduce } from "./reduceRun.ts";
import { type KeyLoad, ReduceTable } from "./reduceTable.ts";
import type { Scratch } from "./scratch.ts";
import { blocksOf, type Codec, DamagedSegment } from "./segment.ts";
import { type Partition, ShuffleWriter, UnfitKey } from "./shuffleWriter.ts";

/** For one after the other, as in the thread of a job. */
const keptTable = new KeyTable();
const inMemory = { table: keptTable, openScratch: memoryScratch };

interface Job {
  text: string;
  user: UserMap;
  combine: Combine | null;
  reduce?: UserReduce;
  maps?: number;
  partitions?: number;
  partition?: Partition;
  memoryBytes?: number;
  codec?: Codec;
  skippedMax?: number;
  poison?: ReadonlySet<string>;
  format?: "tsv" | "jsonl";
}

async function run(job: Job) {
  const { text, user, combine, maps = 3, partitions = 2, memoryBytes = 1 << 20, codec = "none", skippedMax = 0 } = job;
  const bytes = Buffer.from(text);
  const files: Buffer[] = [];
  const figures = [];
  const skipped: SkippedRecord[] = [];
  const onSkipped = (record: SkippedRecord) => void skipped.push(record);
  for (const ranges of divide([{ path: "in.txt", size: bytes.length }], maps)) {
    const pieces: Buffer[] = [];
    const emitter = new ShuffleWriter({
      table: keptTable,
      partitions,
      partition: job.partition ?? null,
      column: columnFor(combine),
      memoryBytes,
      codec,
      sink: (piece) => void pieces.push(Buffer.from(piece)),
      aside: (work) => work(),
    });
    const options = { user, ranges, paths: ["in.txt"], emitter, cursor: new Cursor(), params: null, skippedMax };
    const open = () => Promise.resolve({ read: (target: Buffer, position: number) => bytes.copy(target, 0, position) });
    figures.push(await runMap({ ...options, open, poison: job.poison ?? new Set(), onSkipped }));
    emitter.end();
    files.push(Buffer.concat(pieces));
  }
  const parts: string[] = [];
  const loads: (KeyLoad | null)[] = [];
  let spills = 0;
  for (let partition = 0; partition < partitions; partition += 1) {
    const table = new ReduceTable({ ...inMemory, column: columnFor(combine), memoryBytes });
    for (const file of files) {
      const read = (offset: number, length: number) => file.subarray(offset, offset + length);
      for (const extent of await extentsOf(file.length, partition, partitions, read)) {
        for await (const block of blocksOf(extent, read)) table.fold(block);
      }
    }
    const output: Buffer[] = [];
    const writer = new OutputWriter(job.format ?? "tsv", (piece) => void output.push(Buffer.from(piece)));
    await runReduce({ groups: table.groups(), reduce: job.reduce ?? null, params: null, writer, cursor: new Cursor() });
    spills += table.runs;
    loads.push(table.load);
    parts.push(Buffer.concat(output).toString());
  }
  return { parts, figures, spills, skipped, loads };
}

function memoryScratch(): Scratch {
  let bytes = Buffer.alloc(1 << 10);
  let length = 0;
  return {
    get length() {
      return length;
    },
    append: (piece) => {
      if (length + piece.length > bytes.length) bytes = Buffer.concat([bytes], 2 * (length + piece.length));
      bytes.set(piece, length);
      length += piece.length;
    },
    read: (offset, count) => bytes.subarray(offset, Math.min(offset + count, length)),
  };
}

const wordMap: UserMap = {
  format: "lines",
  map(line, emit) {
    for (const word of line.split(" ")) emit(word, 1);
  },
};

function countWords(text: string): string[] {
  const counts = new Map<string, number>();
  for (const line of text.replace(/\n$/, "").split("\n")) {
    for (const word of line.split(" ")) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${word}\t${count}`);
}

const byBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
const linesOf = (parts: readonly string[]) => parts.join("").split("\n").slice(0, -1);
const keyOf = (line: string) => line.slice(0, line.indexOf("\t"));

describe("word count", () => {
  const words = fc.constantFrom("a", "b", "aa", "ab", "é", "日本", "x".repeat(30), "");
  const lines = fc.array(fc.array(words, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 60 });

  test("gives what a plain program counts; each part is sorted by bytes", async () => {
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom<Codec>("none", "deflate", "zstd"),
        fc.constantFrom(1, 30_000, 1 << 20),
        fc.boolean(),
        async (drawn, maps, partitions, codec, memoryBytes, isListed) => {
          const text = `${drawn.map((line) => line.join(" ")).join("\n")}\n`;
          const sum: UserReduce = (_key, values) => [...values].reduce((one: number, other: number) => one + other, 0);
          const how = isListed ? { combine: null, reduce: sum } : { combine: "sum" as const };
          const { parts } = await run({ text, user: wordMap, maps, partitions, codec, memoryBytes, ...how });
          expect(linesOf(parts).sort()).toEqual(countWords(text).sort());
          for (const part of parts) {
            const keys = linesOf([part]).map(keyOf);
            expect(keys).toEqual([...keys].sort(byBytes));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("spills in maps and reduces when memory is short, and merges many runs in several passes", async () => {
    const text = Array.from({ length: 40_000 }, (_, index) => `w${(index * 7919) % 15_013}`).join("\n");
    const { parts, spills } = await run({ text, user: wordMap, combine: "sum", memoryBytes: 20_000, partitions: 1 });
    expect(spills).toBeGreaterThan(64);
    expect(linesOf(parts).sort()).toEqual(countWords(text).sort());
  });

  test("many short keys are written out whenever memory is full, and not with each key", async () => {
    const keys = 6_000;
    const text = Array.from({ length: keys }, (_, index) => String(1_000_000 + index)).join("\n");
    const { parts, spills } = await run({ text, user: wordMap, combine: "sum", memoryBytes: 64 * 1024, partitions: 1 });
    // 7 bytes of a key, and 24 for its places, in at most 64 KiB, which half-empty tables use half of; in the map and in the reduce.
    expect(spills).toBeLessThan((2 * 2 * keys * 31) / (64 * 1024) + 2);
    expect(linesOf(parts)).toHaveLength(keys);
  });

  test("chunks of bytes give the same", async () => {
    const text = "to be or not\nto be\n";
    const user: UserMap = {
      format: "chunks",
      map(bytes, emit) {
        let start = 0;
        for (let at = 0; at < bytes.length; at += 1) {
          if (bytes[at] !== 10 && bytes[at] !== 32) continue;
          if (at > start) emit(bytes, start, at, 1);
          start = at + 1;
        }
      },
    };
    const { parts } = await run({ text, user, combine: "count" });
    expect(linesOf(parts).sort()).toEqual(["be\t2", "not\t1", "or\t1", "to\t2"]);
  });
});

describe("combiners", () => {
  const pairs: UserMap = {
    format: "lines",
    map: (line, emit) => emit(line.split("=")[0] ?? "", Number(line.split("=")[1])),
  };

  test.each<[Combine, string]>([
    ["sum", "a\t-2.5"],
    ["count", "a\t4"],
    ["max", "a\t7"],
    ["min", "a\t-20"],
    [{ topK: 2, by: (value: number) => value }, "a\t[7,5.5]"],
    [(one: number, other: number) => Math.max(Math.abs(one), Math.abs(other)), "a\t20"],
  ])("%s", async (combine, expected) => {
    const text = "a=7\na=5.5\na=-20\na=5\n";
    for (const memoryBytes of [1, 1 << 20]) {
      expect(linesOf((await run({ text, user: pairs, combine, memoryBytes })).parts)).toEqual([expected]);
    }
  });

  test("a giant key without a combiner is streamed", async () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `${index}`).join("\n");
    const user: UserMap = { format: "lines", map: (line, emit) => emit("all", { line }) };
    const reduce: UserReduce = (_key, values: Iterable<{ line: string }>) => {
      let sum = 0;
      for (const { line } of values) sum += Number(line);
      return sum;
    };
    for (const memoryBytes of [50_000, 1 << 24]) {
      const { parts } = await run({ text, user, combine: null, reduce, memoryBytes });
      expect(linesOf(parts)).toEqual(["all\t449985000"]);
    }
  });

  test("the key with the most values is told of, whether they fit into memory or not, read or unread", async () => {
    const text = Array.from({ length: 12_000 }, (_, index) => (index % 4 === 0 ? `k${index % 16}` : "hot")).join("\n");
    const user: UserMap = { format: "lines", map: (line, emit) => emit(line, "x".repeat(20)) };
    const reduce: UserReduce = (_key, values) => {
      for (const _ of values) return 1;
      return 0;
    };
    for (const memoryBytes of [50_000, 1 << 24]) {
      const options = { text, user, combine: null, reduce, memoryBytes, partitions: 1 };
      expect((await run(options)).loads).toEqual([{ values: 12_000, maxKey: "hot", maxKeyValues: 9_000 }]);
      expect((await run({ ...options, combine: "count" })).loads).toEqual([null]);
    }
  });

  test("a reduce that reads only some values of a key leaves the next key alone", async () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `${index % 3} ${index}`).join("\n");
    const user: UserMap = { format: "lines", map: (line, emit) => emit(line.slice(0, 1), line.slice(2)) };
    const reduce: UserReduce = (key, values) => {
      for (const _ of values) return `first of ${key}`;
      return "none";
    };
    const { parts } = await run({ text, user, combine: null, reduce, memoryBytes: 50_000, partitions: 1 });
    expect(linesOf(parts)).toEqual(["0\tfirst of 0", "1\tfirst of 1", "2\tfirst of 2"]);
  });
});

test("ranges of keys give parts that are sorted as a whole", async () => {
  const text = Array.from({ length: 500 }, (_, index) => `k${(index * 7919) % 1000}`).join("\n");
  const boundaries = boundariesOf(text.split("\n").slice(0, 100), 5);
  const { parts } = await run({
    text,
    user: wordMap,
    combine: "sum",
    partitions: 5,
    partition: byRange(boundaries),
  });
  const keys = linesOf(parts).map(keyOf);
  expect(keys).toEqual([...new Set(text.split("\n"))].sort(byBytes));
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThan(0.4 * parts.join("").length);
});

test("boundaries of ranges are as short as they can be, and divide a sample as its keys would", () => {
  const words = fc.array(fc.constantFrom("a", "b", "é", "日"), { maxLength: 6 }).map((letters) => letters.join(""));
  fc.assert(
    fc.property(fc.array(words, { maxLength: 40 }), fc.integer({ min: 2, max: 8 }), (sample, partitions) => {
      const sorted = [...sample].sort(byBytes);
      const boundaries = boundariesOf(sample, partitions);
      expect(boundaries).toEqual([...new Set(boundaries)].sort(byBytes));
      for (const [index, boundary] of boundaries.entries()) {
        const first = sorted.find((key) => byBytes(boundary, key) <= 0) ?? "";
        expect(first.startsWith(boundary)).toBe(true);
        const bytes = Buffer.from(first);
        expect(byRange(boundaries)(bytes, 0, bytes.length)).toBe(index + 1);
      }
    }),
  );
  const long = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, "0") + "x".repeat(10_000));
  expect(JSON.stringify(boundariesOf(long, 100)).length).toBeLessThan(1000);
});

test("a partitioner that leads nowhere is refused", async () => {
  await expect(run({ text: "a", user: wordMap, combine: "sum", partition: () => 2 })).rejects.toThrow(UnfitKey);
});

test("tabs and line ends in keys and texts are escaped in tsv, and kept in jsonl", async () => {
  const user: UserMap = { format: "lines", map: (line, emit) => emit(`${line}\t\\`, "x\ny") };
  expect((await run({ text: "a", user, combine: null, partitions: 1 })).parts).toEqual(["a\\t\\\\\tx\\ny\n"]);
  expect((await run({ text: "a", user, combine: null, partitions: 1, format: "jsonl" })).parts).toEqual([
    '{"key":"a\\t\\\\","value":"x\\ny"}\n',
  ]);
});

describe("bad records", () => {
  const picky: UserMap = {
    format: "lines",
    map(line, emit, ctx) {
      emit(line.slice(0, 1), 1);
      ctx.count("lines");
      if (line === "bad") throw new Error("no");
      if (line === "odd") ctx.skip("odd line");
    },
  };
  const text = "a\nbad\nb\nodd\na\n";

  test("a throw fails the map and names file, byte and text", async () => {
    const failure = await run({ text, user: picky, combine: "sum", maps: 1 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RecordFailed);
    expect((failure as RecordFailed).record).toEqual({
      bytes: 3,
      path: "in.txt",
      offset: 2,
      reason: "Error: no",
      text: "bad",
    });
  });

  test("what is skipped leaves nothing behind, and is counted", async () => {
    const { parts, figures } = await run({ text, user: picky, combine: "sum", maps: 1, skippedMax: 2 });
    expect(linesOf(parts).sort()).toEqual(["a\t2", "b\t1"]);
    expect(figures[0]).toMatchObject({ records: 5, skipped: 2, counters: { lines: 3 } });
    expect(figures[0]?.skippedRecords.map(({ offset, reason }) => [offset, reason])).toEqual([
      [2, "Error: no"],
      [8, "odd line"],
    ]);
  });

  test("one more than allowed fails the map", async () => {
    await expect(run({ text, user: picky, combine: "sum", maps: 1, skippedMax: 1 })).rejects.toThrow("odd line");
  });

  test("what is skipped is told with so much of each record, whatever it is", async () => {
    const user: UserMap = { format: "lines", map: (line, _emit, ctx) => ctx.skip("r".repeat(line.length)) };
    const long = "x".repeat(limits.jobSkippedRecordBytesMax + 1);
    const { skipped, figures } = await run({ text: `a\n${long}\n`, user, combine: "sum", maps: 1, skippedMax: 9 });
    expect(skipped[0]).toEqual({ path: "in.txt", offset: 0, bytes: 1, reason: "r", text: "a" });
    expect(skipped[1]).toMatchObject({ offset: 2, bytes: long.length, text: long.slice(1) });
    expect(skipped[1]?.reason).toHaveLength(limits.jobSkipReasonLengthMax);
    expect(figures[0]?.skippedRecords[1]?.text).toHaveLength(limits.jobRecordShownBytesMax);
  });

  test("a record that attempts did not survive is left out", async () => {
    const { parts } = await run({
      text,
      user: picky,
      combine: "sum",
      maps: 1,
      skippedMax: 2,
      poison: new Set(["0:2"]),
    });
    expect(linesOf(parts).sort()).toEqual(["a\t2", "b\t1"]);
  });
});

test("a changed byte anywhere in a map's file is noticed, unless nobody reads it", async () => {
  const pieces: Buffer[] = [];
  const emitter = new ShuffleWriter({
    table: keptTable,
    partitions: 2,
    partition: null,
    column: columnFor("sum"),
    memoryBytes: 1 << 20,
    codec: "zstd",
    sink: (piece) => void pieces.push(Buffer.from(piece)),
    aside: (work) => work(),
  });
  for (let index = 0; index < 50; index += 1) emitter.emitText(`key ${index}`, index);
  emitter.end();
  const whole = Buffer.concat(pieces);
  const readAll = async (file: Buffer) => {
    const keys: string[] = [];
    for (const partition of [0, 1]) {
      const read = (offset: number, length: number) => file.subarray(offset, offset + length);
      const table = new ReduceTable({ ...inMemory, column: columnFor("sum"), memoryBytes: 1 << 20 });
      for (const extent of await extentsOf(file.length, partition, 2, read))
        for await (const block of blocksOf(extent, read)) table.fold(block);
      for (const group of table.groups())
        keys.push(
          `${group.keys.toString("utf8", group.keyStart, group.keyStart + group.keyLength)}=${[...group.values].join()}`,
        );
    }
    return keys;
  };
  const wanted = await readAll(whole);
  expect(wanted).toHaveLength(50);
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x41;
    const outcome = await readAll(changed).catch((error: unknown) => error);
    // The flags of a segment are not used yet.
    if (Array.isArray(outcome)) expect(outcome).toEqual(wanted);
    else expect(outcome).toBeInstanceOf(DamagedSegment);
  }
  for (let length = 0; length < whole.length; length += 1) {
    await expect(readAll(whole.subarray(0, length))).rejects.toThrow(DamagedSegment);
  }
});
