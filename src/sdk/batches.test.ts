/** Tests of how long lists are cut into requests. */
import { describe, expect, test } from "vitest";
import { OutlastError } from "../model/errors.ts";
import type { Submission } from "../model/submission.ts";
import { toBatches } from "./batches.ts";

const sleep = (name: string): Submission => ({ kind: "sleep", input: { seconds: 1 }, name });

describe("toBatches", () => {
  test("keeps the order and tells how many stand before each batch", () => {
    const all = ["a", "b", "c", "d", "e"].map(sleep);
    const batches = [...toBatches(all, { tasksMax: 2, bytesMax: 10_000 })];
    expect(batches.map(({ offset, length }) => [offset, length])).toEqual([
      [0, 2],
      [2, 2],
      [4, 1],
    ]);
    const tasks = batches.flatMap((batch) => (JSON.parse(batch.body) as { tasks: Submission[] }).tasks);
    expect(tasks).toEqual(all);
  });

  test("never makes a body longer than allowed, counted in bytes", () => {
    const all = Array.from({ length: 50 }, (_, index) => sleep("ü".repeat(index)));
    const batches = [...toBatches(all, { tasksMax: 1000, bytesMax: 400 })];
    expect(batches.length).toBeGreaterThan(1);
    for (const batch of batches) expect(Buffer.byteLength(batch.body)).toBeLessThanOrEqual(400);
    expect(batches.reduce((sum, batch) => sum + batch.length, 0)).toBe(50);
  });

  test("refuses what no request can hold, and says which one it is", () => {
    const cut = () => [...toBatches([sleep("a"), sleep("b".repeat(500))], { tasksMax: 10, bytesMax: 400 })];
    expect(cut).toThrow(OutlastError);
    expect(cut).toThrow(/Task 2 /);
  });

  test("makes no batch of nothing", () => {
    expect([...toBatches([])]).toEqual([]);
  });
});

test("a batch fits into what a master takes as one submission, with what the master adds to each task", () => {
  const all = Array.from({ length: 20 }, (_, index) => sleep(`t${index}`));
  const bounds = { tasksMax: 1000, bytesMax: 1_000_000, journalBytesMax: 5_000 };
  const lengths = [...toBatches(all, bounds)].map(({ length }) => length);
  expect(lengths).toEqual([5, 5, 5, 5]);
  const small = Array.from({ length: 10_000 }, (_, index) => sleep(`t${index}`));
  expect([...toBatches(small)]).toHaveLength(1);
});
