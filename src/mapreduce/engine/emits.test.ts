/** What a map emits counts as it was when it was emitted, wholly or not at all, whatever the map does before and after. */
import { describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { type Combine, columnFor } from "./combiners.ts";
import { Cursor } from "./cursor.ts";
import { KeyTable } from "./keyTable.ts";
import { extentsOf } from "./mapFile.ts";
import { runMap, type UserMap } from "./mapRun.ts";
import { ReduceTable } from "./reduceTable.ts";
import { blocksOf } from "./segment.ts";
import { ShuffleWriter } from "./shuffleWriter.ts";

/** For one after the other, as in the thread of a job. */
const keptTable = new KeyTable();

type Sink = (bytes: Uint8Array) => void;

interface Job {
  readonly text: string;
  readonly user: UserMap;
  readonly combine?: Combine | null;
  readonly skippedMax?: number;
  readonly memoryBytes?: number;
  /** Is called before each write. */
  readonly onWrite?: () => void;
}

async function run({ text, user, combine = null, skippedMax = 0, memoryBytes = 1 << 20, onWrite }: Job) {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  const sink: Sink = (piece) => {
    onWrite?.();
    pieces.push(Buffer.from(piece));
  };
  const shared = { partitions: 1, partition: null, codec: "none", memoryBytes, sink } as const;
  const emitter = new ShuffleWriter({
    table: keptTable,
    ...shared,
    column: columnFor(combine),
    aside: (work) => work(),
  });
  const { skipped, counters } = await runMap({
    ...{ user, emitter, skippedMax, params: null, paths: ["in.txt"], cursor: new Cursor(), poison: new Set<string>() },
    ranges: [{ file: 0, start: 0, end: bytes.length }],
    open: async () => ({ read: (target, position) => bytes.copy(target, 0, position) }),
    onSkipped: () => undefined,
  });
  const { runs, peakBytes } = emitter.end();
  const file = Buffer.concat(pieces);
  const read = (offset: number, length: number) => file.subarray(offset, offset + length);
  const openScratch = () => expect.unreachable("so little needs no scratch file");
  const table = new ReduceTable({
    table: keptTable,
    column: columnFor(combine),
    memoryBytes: 1 << 26,
    openScratch,
  });
  for (const extent of await extentsOf(file.length, 0, 1, read))
    for await (const block of blocksOf(extent, read)) table.fold(block);
  const found: Record<string, unknown> = {};
  for (const { keys, keyStart, keyLength, values } of table.groups())
    found[keys.toString("utf8", keyStart, keyStart + keyLength)] = [...values];
  return { found, skipped, counters, runs, peakBytes };
}

const lines = (map: Extract<UserMap, { format: "lines" }>["map"]): UserMap => ({ format: "lines", map });
const chunks = (map: Extract<UserMap, { format: "chunks" }>["map"]): UserMap => ({ format: "chunks", map });

/** Each line is a key, and a value as JSON; some values are none. */
const parsed = (line: string): [string, unknown] => {
  const [key = "", value = "1"] = line.split(" ");
  return [key, value === "none" ? Symbol("none") : JSON.parse(value)];
};

describe("a value that is refused", () => {
  const careful = lines((line, emit, ctx) => {
    try {
      emit(...parsed(line));
    } catch {
      ctx.count("bad");
    }
  });

  test("leaves no key behind where the map catches that", async () => {
    expect((await run({ text: 'a "x"\nb -3\na -7\nc "x"\n', user: careful, combine: "max" })).found).toEqual({
      a: [-7],
      b: [-3],
    });
  });

  test("takes no other value of its key along", async () => {
    const { found } = await run({ text: "a none\na 1\na 2\nb none\n", user: careful });
    expect(found).toEqual({ a: [1, 2] });
  });

  test("is skipped with all that its record has emitted", async () => {
    const user = lines((line, emit) => {
      for (const word of line.split(",")) emit(...parsed(word));
    });
    expect(await run({ text: "a 1,b none\na 2,b 3\n", user, skippedMax: 1 })).toMatchObject({
      found: { a: [2], b: [3] },
      skipped: 1,
    });
    expect(await run({ text: 'a 1,b "x"\na 2,b 3\n', user, combine: "sum", skippedMax: 1 })).toMatchObject({
      found: { a: [2], b: [3] },
      skipped: 1,
    });
  });
});

describe("a number that JSON has no text for", () => {
  const numbers: { readonly [text: string]: unknown } = {
    alone: Number.NaN,
    field: { mean: Number.NaN },
    item: [1, Number.NEGATIVE_INFINITY],
    deep: { none: null, of: [{ it: Number.POSITIVE_INFINITY }] },
  };
  const user = lines((line, emit) => emit(line, numbers[line] ?? { none: null }));
  const keepsOne: Combine = (one: unknown) => one;

  test.each<[string, Combine | null, string]>([
    ["alone", { topK: 3, by: () => 1 }, "NaN"],
    ...["field", "item", "deep"].flatMap((line): [string, Combine | null, string][] => {
      const what = line === "field" ? "NaN" : line === "item" ? "-Infinity" : "Infinity";
      return [null, keepsOne, { topK: 3, by: () => 1 }].map((combine) => [line, combine, what]);
    }),
  ])("would arrive as null: %s with %s", async (line, combine, what) => {
    const text = `ok\n${line}\n`;
    await expect(run({ text, user, combine })).rejects.toThrow(
      `in.txt, byte 3: Error: A value must be JSON, and ${what} is not. The record begins with "${line}".`,
    );
    const { found, skipped } = await run({ text, user, combine, skippedMax: 1 });
    expect({ keys: Object.keys(found), skipped }).toEqual({ keys: ["ok"], skipped: 1 });
  });

  test("arrives as it is where it is the whole value", async () => {
    expect((await run({ text: "alone\n", user })).found).toEqual({ alone: [Number.NaN] });
    expect((await run({ text: "alone\n", user, combine: keepsOne })).found).toEqual({ alone: [Number.NaN] });
  });
});

describe("counters", () => {
  const counting = lines((line, emit, ctx) => {
    emit(line, 1);
    for (const name of line.split(" ")) ctx.count(name, name === "much" ? Number.NaN : 1);
  });
  const names = Array.from({ length: limits.jobCountersMax }, (_, index) => `c${index}`);
  const before = names.slice(1).join(" ");

  test.each([
    ["one too many", "c0 more c1"],
    ["no number", "c1 much"],
    ["no name", "c1  c2"],
  ])("are refused at the record that has %s, which may be skipped", async (_what, line) => {
    const text = `${before}\n${line}\nc0 c1\n`;
    await expect(run({ text, user: counting })).rejects.toThrow(`in.txt, byte ${before.length + 1}: Error: `);
    const { skipped, counters } = await run({ text, user: counting, skippedMax: 1 });
    expect(skipped).toBe(1);
    expect(counters).toEqual({ ...Object.fromEntries(names.map((name) => [name, 1])), c1: 2 });
  });
});

describe("what was thrown", () => {
  test.each([0, 1])("need not be a text, where %i records may be skipped", async (skippedMax) => {
    const user = lines((line) => {
      if (line === "odd") throw Object.create(null);
    });
    const outcome = run({ text: "a\nodd\nodd\n", user, skippedMax });
    const offset = skippedMax === 0 ? 2 : 6;
    await expect(outcome).rejects.toThrow(`in.txt, byte ${offset}: the map threw something that cannot be written`);
  });
});

describe("what was emitted", () => {
  test.each([0, 1])(
    "stays as it was when its bytes are used again, where %i records may be skipped",
    async (skippedMax) => {
      const scratch = Buffer.alloc(8);
      const user = chunks((bytes, emit) => {
        for (const byte of bytes.toString().replaceAll("\n", ""))
          emit(scratch, 0, scratch.write(byte.toLowerCase()), 1);
      });
      const { found } = await run({ text: "A\nB\nA\n", user, combine: "sum", skippedMax });
      expect(found).toEqual({ a: [2], b: [1] });
    },
  );

  test.each([0, 1])(
    "stays as it was when its object is used again, where %i records may be skipped",
    async (skippedMax) => {
      const value = { lines: [""] };
      const user = lines((line, emit) => {
        value.lines = [line];
        for (const word of line.split(" ")) emit(word, value);
      });
      const combine: Combine = (one: { lines: string[] }, other: { lines: string[] }) => {
        one.lines.push(...other.lines);
        return one;
      };
      const text = "a b\nb c\n";
      const expected = { a: [{ lines: ["a b"] }], b: [{ lines: ["a b", "b c"] }], c: [{ lines: ["b c"] }] };
      expect((await run({ text, user, combine, skippedMax })).found).toEqual(expected);
      const listed = await run({ text, user, skippedMax });
      expect(listed.found).toEqual({ ...expected, b: [{ lines: ["a b"] }, { lines: ["b c"] }] });
    },
  );
});

test.each([
  [5, 2],
  [-1, 2],
  [0, 99],
  [0, Number.NaN],
])("a key from byte %d to %d of a chunk is refused", async (start, end) => {
  const user = chunks((bytes, emit) => {
    emit(bytes, 0, 3, 1);
    emit(bytes, start, end, 1);
  });
  await expect(run({ text: "one\ntwo\n", user, combine: "sum" })).rejects.toThrow("A key cannot be from byte");
});

test("a key that is no text is refused by that name", async () => {
  const user = lines((_line, emit) => emit(5 as unknown as string, 1));
  await expect(run({ text: "one\n", user })).rejects.toThrow("A key must be a text, and 5 is a number");
});

describe("a run that cannot be written", () => {
  const word = lines((line, emit, ctx) => {
    try {
      emit(line, "x".repeat(10_000));
    } catch {
      ctx.count("bad");
    }
  });
  const plain = lines((line, emit) => emit(line, "x".repeat(10_000)));

  test.each([
    ["skips no record", plain, 1000],
    ["is not hidden by a map that catches it", word, 0],
  ])("%s", async (_, user, skippedMax) => {
    let writes = 0;
    const onWrite = () => {
      writes += 1;
      if (writes === 2) throw new Error("ENOSPC: no space left on device");
    };
    const text = Array.from({ length: 300 }, (_line, index) => `${index}\n`).join("");
    await expect(run({ text, user, skippedMax, onWrite })).rejects.toThrow(/^ENOSPC/);
  });
});

test("a combiner that throws fails its map: what the record has emitted cannot be taken back", async () => {
  const combine: Combine = () => {
    throw new Error("cannot be combined");
  };
  const user = lines((line, emit) => {
    for (const letter of line) emit(letter, 1);
  });
  await expect(run({ text: "ab\nb\n", user, combine, skippedMax: 1 })).rejects.toThrow("cannot be combined");
});

describe("memory of values that are combined", () => {
  test("counts while it lasts, not what went into it", async () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `${index % 10}\n`).join("");
    const user = lines((line, emit) => emit(line, { count: 1, text: "x".repeat(100) }));
    const { found, runs } = await run({ text, user, combine: (one: unknown) => one });
    expect(Object.keys(found).length).toBe(10);
    expect(runs).toBe(1);
  });
});
