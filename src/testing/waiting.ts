/** What tasks of a test's cluster wait for, and when time will bring it. */
import { isFinal, type TaskDocument } from "../model/task.ts";

/** When the next sleep, signal's time-out, start or retry is due; null if none is. */
export function nextDueAt(tasks: readonly TaskDocument[], now: number): number | null {
  let next: number | null = null;
  for (const { state, startAt, retryAt, family } of tasks) {
    if (isFinal(state)) continue;
    const waits = (family?.waits ?? []).map((wait) => ("until" in wait ? wait.until : null));
    for (const at of [startAt, retryAt ?? null, ...waits]) {
      if (at !== null && at !== undefined && at > now && (next === null || at < next)) next = at;
    }
  }
  return next;
}

/** It runs, or is about to. */
export function isMoving({ state, family }: TaskDocument): boolean {
  return !isFinal(state) && state !== "blocked" && (state !== "waiting" || family?.isWoken === true);
}

/** For people. */
export function describeWaits({ family, state }: TaskDocument): string {
  const { waits = [] } = family ?? {};
  if (waits.length === 0) return `something (it is ${state})`;
  return waits
    .map((wait) => (wait.kind === "signal" ? `the signal "${wait.name}"` : `${wait.kind} "${wait.key}"`))
    .join(", ");
}
