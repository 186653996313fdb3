/** What happened to masters and workers, in words, and which of it is told where there is little room. */

import type { Mark } from "../../api/schema.ts";
import { counted } from "../../parts/counted.ts";

/** So many of the last deaths keep their place, however many workers come and go after them. */
const deathsKept = 3;

/** The latest first: at most `max`, of them the last deaths. */
export function latelyOf(marks: readonly Mark[], max: number): Mark[] {
  const newest = marks.toReversed();
  const deaths = newest.filter(isDeath).slice(0, Math.min(deathsKept, max));
  const rest = newest.filter((mark) => !deaths.includes(mark)).slice(0, max - deaths.length);
  return newest.filter((mark) => deaths.includes(mark) || rest.includes(mark));
}

/** A process of a worker ended without a goodbye. */
export function isDeath(mark: Mark): boolean {
  return mark.kind === "lost" || (mark.kind === "attached" && mark.wasRestarted === true);
}

export function markText(mark: Mark): string {
  if (mark.kind === "leader") return `Epoch ${mark.epoch}: ${mark.address} leads`;
  return `${mark.worker} ${workerText(mark)}`;
}

export type WorkerMark = Exclude<Mark, { readonly kind: "leader" }>;

/** What is told after the worker's name. */
export function workerText(mark: WorkerMark): string {
  const words = { attached: "attached", drained: "drains", lost: "was lost", left: "left" };
  const what = mark.wasRestarted === true ? "died and was started anew" : words[mark.kind];
  const losses = lossText(mark);
  return losses === null ? what : `${what}; ${losses}`;
}

/** Null if it lost no attempts, as far as is known. */
export function lossText({ attemptsLost = 0 }: WorkerMark): string | null {
  if (attemptsLost === 0) return null;
  return `${counted(attemptsLost, "attempt was", "attempts were")} lost`;
}

/** Of each worker. */
export function lastDeaths(marks: readonly Mark[]): ReadonlyMap<string, WorkerMark> {
  const deaths = new Map<string, WorkerMark>();
  for (const mark of marks) if (mark.kind !== "leader" && isDeath(mark)) deaths.set(mark.worker, mark);
  return deaths;
}
