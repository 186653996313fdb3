/** Keys are sampled from all places of the input alike, also where one place has more of them than are wanted. */
import { expect, test } from "vitest";
import { Cursor } from "../engine/cursor.ts";
import { KeyTable } from "../engine/keyTable.ts";
import { lines, mapReduce, tsv } from "../job.ts";
import { sampleKeys } from "./mapWork.ts";
import type { JobSettings } from "./settings.ts";

test.each([0, 1])("no place takes the share of another, where %i records may be skipped", async (maxSkipped) => {
  const job = mapReduce({
    ...{ name: "keys", input: lines("unused"), output: tsv("unused"), maxSkipped },
    map(line: string, emit: (key: string, value: number) => void) {
      for (let index = 0; index < 30_000; index += 1) emit(`${line} ${index}`, 1);
    },
  });
  const settings = { format: "lines", skippedMax: maxSkipped, params: null } as unknown as JobSettings;
  const open = async ({ path }: { readonly path: string }) => ({
    read: (target: Buffer, position: number) => Buffer.from(path).copy(target, 0, position),
    close: async () => undefined,
  });
  const ranges = ["a", "b", "c", "d"].map((path) => ({ file: { path, size: 1, version: "1" }, start: 0, end: 1 }));
  const keys = await sampleKeys({ settings, job, cursor: new Cursor(), table: new KeyTable(), open }, ranges);
  const counts = ["a", "b", "c", "d"].map((path) => keys.filter((key) => key.startsWith(path)).length);
  expect(counts).toEqual([5_000, 5_000, 5_000, 5_000]);
});
