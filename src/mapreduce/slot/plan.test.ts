/** Plans: how many maps suit many small files, and samples from input that holds records which nobody survives. */
import { expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { BrokenTask } from "../coordinator/brokenTask.ts";
import type { PlannedRange } from "../coordinator/settings.ts";
import { divide } from "../engine/byteRanges.ts";
import { mapsSuiting, sampleSurvivors } from "./plan.ts";

test("very many small files get so many maps that each can name its own", () => {
  const files = Array.from({ length: 50_000 }, (_, index) => ({
    ...{ path: `/data/logs/2026-11-28/host-${index}.log`, size: 100, version: "1764000000000" },
  }));
  const ranges = divide(files, mapsSuiting(files, []));
  for (const each of ranges) {
    const named = each.map(({ file, start, end }) => ({ file: files[file], start, end }));
    expect(JSON.stringify(named).length).toBeLessThan(limits.jobRangesBytesMax);
  }
  expect(mapsSuiting(files.slice(0, 3), [])).toBe(1);
});

const rangeOf = (path: string): PlannedRange => ({ file: { path, size: 100, version: "1" }, start: 10, end: 60 });
const crashAt = (range: number, offset: number) => new BrokenTask("crash", "it crashed", { range, offset });

test("a sample ends before a record that it does not survive, and is taken from all other places", async () => {
  const asked: (readonly number[])[] = [];
  const crashes = [crashAt(1, 30), crashAt(0, 10), crashAt(1, 20)];
  const sample = async (ranges: readonly PlannedRange[]) => {
    asked.push(ranges.map(({ end }) => end));
    const crash = crashes.shift();
    if (crash !== undefined) throw crash;
    return "sampled";
  };
  expect(await sampleSurvivors([rangeOf("a"), rangeOf("b")], sample)).toBe("sampled");
  expect(asked).toEqual([
    [60, 60],
    [60, 30],
    [10, 30],
    [10, 20],
  ]);
});

test("a sample that fails otherwise fails", async () => {
  for (const error of [
    new BrokenTask("crash", "its module never ends", null),
    new BrokenTask("error", "the disk is away", { range: 0, offset: 20 }),
    crashAt(0, 60),
  ]) {
    const sample = async () => {
      throw error;
    };
    await expect(sampleSurvivors([rangeOf("a")], sample)).rejects.toBe(error);
  }
});
