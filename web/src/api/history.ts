/** The points of a chart, as they are read bit by bit: only the newest are asked for, and the oldest go. */
import type { History, HistoryPoint } from "./schema.ts";

/** What was counted lately may still grow: the last point is not over, and standbys hear of changes a little later. */
const unsettled = 3;
/** As many as a master remembers: five minutes by second, an hour by minute. */
const pointsMax = { second: 300, minute: 60 } as const;

/** From which instant on points are to be read again, in ms since 1970; 0 for all of them. */
export function unsettledSince(known: History | undefined): number {
  return known?.points.at(-unsettled)?.at ?? 0;
}

/** @param read all points that begin at `since` or later */
export function extended(
  known: History | undefined,
  since: number,
  read: History,
  by: keyof typeof pointsMax,
): History {
  const settled: HistoryPoint[] = known?.points.filter(({ at }) => at < since) ?? [];
  return { ...read, points: [...settled, ...read.points].slice(-pointsMax[by]) };
}
