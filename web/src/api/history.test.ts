/** Points of a chart that are read bit by bit. */
import { expect, test } from "vitest";
import { extended, unsettledSince } from "./history.ts";
import type { History, HistoryPoint } from "./schema.ts";

function history(points: Readonly<Record<number, number>>): History {
  const of = Object.entries(points).map(([at, submitted]) => ({ at: Number(at), submitted }) as HistoryPoint);
  return { resolutionMs: 1, points: of };
}

const told = ({ points }: History) => Object.fromEntries(points.map(({ at, submitted }) => [at, submitted]));

test("all points are read at first, then the last ones, which may have grown", () => {
  expect(unsettledSince(undefined)).toBe(0);
  const first = extended(undefined, 0, history({ 1: 5, 2: 6, 3: 7, 4: 1 }), "second");
  const since = unsettledSince(first);
  expect(since).toBe(2);
  const next = extended(first, since, history({ 2: 6, 3: 8, 4: 9, 5: 1 }), "second");
  expect(told(next)).toEqual({ 1: 5, 2: 6, 3: 8, 4: 9, 5: 1 });
});

test("however long a page stays open, it keeps no more points than a master", () => {
  let known: History | undefined;
  let readMax = 0;
  for (let now = 1; now <= 1_000; now += 1) {
    const since = unsettledSince(known);
    const read = history(
      Object.fromEntries(Array.from({ length: Math.min(now, 300) }, (_, back) => [now - back, now])),
    );
    const points = read.points.filter(({ at }) => at >= since);
    if (known !== undefined) readMax = Math.max(readMax, points.length);
    known = extended(known, since, { ...read, points }, "second");
  }
  expect(known?.points).toHaveLength(300);
  expect(known?.points.at(-1)?.at).toBe(1_000);
  expect(readMax).toBeLessThanOrEqual(4);
});
